/**
 * A node's status from facts, never stored: the first line that is true decides.
 *
 *   no beat within LIMITS.silentMs                          offline
 *   switched off by an administrator                        disabled
 *   asked to drain, or stopping                             draining
 *   of two other nodes or more, reaches and is reached by none   inactive
 *   no link · channel fault · peers out of reach · other version · no gateway key   limited
 *   else                                                    online
 */
import type { NodeStatus } from '@postern/protocol/api/gateways.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import type { Beat } from '@postern/protocol/node-api.ts'

export interface StatusFacts {
  readonly enabled: boolean
  readonly draining: boolean
  readonly link: string | null
  readonly beat: (Pick<Beat, 'channel' | 'version' | 'hasGatewayKey' | 'runningQueries'> & { readonly running: readonly unknown[] }) | null
  /** Infinite when there is none. */
  readonly beatAgeMs: number
  readonly saidGoodbye: boolean
  /** Of the other nodes that are alive. */
  readonly others: readonly { readonly name: string; readonly reachable: boolean; readonly reachesUs: boolean; readonly reason: string }[]
  /** Of the majority. */
  readonly gatewayVersion: string
  readonly gatewayHasKey: boolean
}

export interface StatusAndReasons {
  readonly status: NodeStatus
  readonly reasons: readonly string[]
}

export function nodeStatus(facts: StatusFacts): StatusAndReasons {
  const { beat, beatAgeMs, others } = facts
  if (facts.saidGoodbye) return { status: 'offline', reasons: ['it was stopped and said goodbye'] }
  if (!beat) return { status: 'offline', reasons: ['it has not been heard of yet: start it with `postern node start`'] }
  if (beatAgeMs > LIMITS.silentMs) return { status: 'offline', reasons: [`silent for ${silence(beatAgeMs)}`] }
  if (!facts.enabled) return { status: 'disabled', reasons: ['switched off by an administrator'] }
  if (facts.draining) return { status: 'draining', reasons: [work(beat.runningQueries, beat.running.length)] }
  if (others.length > 1 && others.every((other) => !other.reachable && !other.reachesUs))
    return { status: 'inactive', reasons: [`it and the other ${others.length} nodes do not reach each other: ${others[0]?.reason ?? ''}`] }
  const reasons = [...limits(facts)]
  return { status: reasons.length > 0 ? 'limited' : 'online', reasons }
}

function* limits({ beat, link, others, gatewayVersion, gatewayHasKey }: StatusFacts): Generator<string> {
  if (!link) yield 'no link to the service: live queries cannot reach it'
  if (beat?.channel && !beat.channel.ok) yield `its channel does not work: ${beat.channel.fault ?? 'no reason given'}`
  for (const { name, reachable, reason } of others) if (!reachable) yield `it does not reach node ${name}: ${reason}`
  for (const { name, reachesUs, reason } of others) if (!reachesUs) yield `node ${name} does not reach it: ${reason}`
  if (beat && gatewayVersion && beat.version !== gatewayVersion) yield `runs version ${beat.version}, the gateway is at ${gatewayVersion}`
  if (beat && gatewayHasKey && !beat.hasGatewayKey) yield "waits for the gateway's key from another node: credentials cannot be opened yet"
}

function work(queries: number, jobs: number): string {
  if (queries + jobs === 0) return 'drained: nothing is running'
  return `still running: ${queries} ${queries === 1 ? 'query' : 'queries'}, ${jobs} ${jobs === 1 ? 'task' : 'tasks'}`
}

/** Coarse on purpose: a reason that changes with each second would be news each second. */
function silence(ms: number): string {
  if (ms < 60_000) return 'some seconds'
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`
  return ms < 172_800_000 ? `${Math.floor(ms / 3_600_000)} h` : `${Math.floor(ms / 86_400_000)} days`
}
