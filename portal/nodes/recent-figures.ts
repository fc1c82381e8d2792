import type { NodeView } from '@postern/protocol/api/gateways.ts'
import { useRef } from 'react'

/** A minute at one look a second: a sparkline has no room for more. */
const MOST = 60

/** Oldest first. */
export interface RecentFigures {
  readonly cpu: readonly number[]
  readonly memory: readonly number[]
  readonly network: readonly number[]
  readonly jobs: readonly number[]
  readonly queries: readonly number[]
}

export const NO_FIGURES: RecentFigures = { cpu: [], memory: [], network: [], jobs: [], queries: [] }

/** Of the node as it is now, after those that are known. */
export const withFigures = (known: RecentFigures, node: NodeView): RecentFigures => ({
  cpu: [...known.cpu, node.cpuPercent].slice(-MOST),
  memory: [...known.memory, node.availableMemoryBytes].slice(-MOST),
  network: [...known.network, node.networkInBytesPerSecond + node.networkOutBytesPerSecond].slice(-MOST),
  jobs: [...known.jobs, node.runningJobs].slice(-MOST),
  queries: [...known.queries, node.runningQueries].slice(-MOST),
})

/** Since the page was opened. `at`: when these figures came; the same are taken once. */
export function useRecentFigures(nodes: readonly NodeView[], at: number): ReadonlyMap<string, RecentFigures> {
  const kept = useRef<ReadonlyMap<string, RecentFigures>>(new Map())
  const last = useRef(0)
  if (at > last.current) {
    last.current = at
    kept.current = new Map(nodes.map((node) => [node.id, withFigures(kept.current.get(node.id) ?? NO_FIGURES, node)]))
  }
  return kept.current
}
