import { useRef } from 'react'

/** A minute at one look a second: a sparkline has no room for more. */
const MOST = 60

/** What a node says of itself, and a gateway of all its nodes. */
export interface Measured {
  readonly id: string
  readonly name: string
  /** What is away has no figures. */
  readonly live: boolean
  readonly availableMemoryBytes: number
  readonly totalMemoryBytes: number
  readonly cpuPercent: number
  readonly networkInBytesPerSecond: number
  readonly networkOutBytesPerSecond: number
  readonly runningJobs: number
  readonly jobLimit: number
  readonly runningQueries: number
  readonly queryLimit: number
}

/** Oldest first. */
export interface RecentFigures {
  readonly cpu: readonly number[]
  readonly memory: readonly number[]
  readonly network: readonly number[]
  readonly jobs: readonly number[]
  readonly queries: readonly number[]
}

export const NO_FIGURES: RecentFigures = { cpu: [], memory: [], network: [], jobs: [], queries: [] }

/** With those of now after those that are known. */
export const withFigures = (known: RecentFigures, now: Measured): RecentFigures => ({
  cpu: [...known.cpu, now.cpuPercent].slice(-MOST),
  memory: [...known.memory, now.availableMemoryBytes].slice(-MOST),
  network: [...known.network, now.networkInBytesPerSecond + now.networkOutBytesPerSecond].slice(-MOST),
  jobs: [...known.jobs, now.runningJobs].slice(-MOST),
  queries: [...known.queries, now.runningQueries].slice(-MOST),
})

/** Since the page was opened. `at`: when these figures came; the same are taken once. */
export function useRecentFigures(measured: readonly Measured[], at: number): ReadonlyMap<string, RecentFigures> {
  const kept = useRef<ReadonlyMap<string, RecentFigures>>(new Map())
  const last = useRef(0)
  if (at > last.current) {
    last.current = at
    kept.current = new Map(measured.map((one) => [one.id, withFigures(kept.current.get(one.id) ?? NO_FIGURES, one)]))
  }
  return kept.current
}
