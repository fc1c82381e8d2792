/** How many things a node does at a time. The formula is published in docs/reference/settings.md. */
import type { GatewaySettings } from '@postern/protocol/api/gateways.ts'
import type { Beat } from '@postern/protocol/node-api.ts'

const JOB_BYTES = 512 << 20
const QUERIES_PER_CORE = 32
const FEWEST_JOBS = 2

export interface Limit {
  readonly limit: number
  /** How it came about, for a person. */
  readonly reason: string
}

type Machine = Pick<Beat, 'cores' | 'totalMemoryBytes'> | null

/** Who set it: in the words of the reason. */
export type Origin = 'for this node' | 'for the gateway' | 'by default'

/** What the average is held against; 0 = not at all. */
export function percentLimit(percent: number, origin: Origin, minutes: number): Limit {
  if (percent === 0) return { limit: 0, reason: `off ${origin}` }
  return { limit: percent, reason: `set ${origin} to ${percent} %, of the average over ${minutes} min` }
}

/** max(2, min(2 × cores, floor(total memory / 512 MiB))) */
export function jobLimit(setting: GatewaySettings['jobConcurrency'], machine: Machine, origin: Origin): Limit {
  if (setting !== 'auto') return { limit: setting, reason: `set ${origin} to ${setting}` }
  if (!machine) return { limit: FEWEST_JOBS, reason: `auto: no beat yet → ${FEWEST_JOBS}` }
  const byCores = Math.floor(2 * machine.cores)
  const byMemory = Math.floor(machine.totalMemoryBytes / JOB_BYTES)
  const limit = Math.max(FEWEST_JOBS, Math.min(byCores, byMemory))
  const by = byMemory < byCores ? `${gib(machine.totalMemoryBytes)} GiB memory` : `${cores(machine)}`
  return { limit, reason: `auto: ${by} → ${limit}` }
}

/** 32 × cores, at least 32 */
export function queryLimit(setting: GatewaySettings['queryConcurrency'], machine: Machine, origin: Origin): Limit {
  if (setting !== 'auto') return { limit: setting, reason: `set ${origin} to ${setting}` }
  if (!machine) return { limit: QUERIES_PER_CORE, reason: `auto: no beat yet → ${QUERIES_PER_CORE}` }
  const limit = Math.max(QUERIES_PER_CORE, Math.floor(QUERIES_PER_CORE * machine.cores))
  return { limit, reason: `auto: ${cores(machine)} → ${limit}` }
}

const cores = ({ cores: count }: { readonly cores: number }) => `${Number(count.toFixed(2))} ${count === 1 ? 'core' : 'cores'}`
const gib = (bytes: number) => (bytes / (1 << 30)).toFixed(1)
