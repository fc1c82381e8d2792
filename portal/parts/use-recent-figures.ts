import type { GatewayHistory } from '@postern/protocol/api/node-history.ts'
import { usePrefetchQuery, useQuery } from '@tanstack/react-query'
import { useMemo, useRef } from 'react'
import { api, KEYS } from '../app/client.ts'
import {
  figuresOf,
  figuresOfAll,
  type Measured,
  NO_FIGURES,
  type RecentFigures,
  type RecentLine,
  slotAt,
  withKept,
  withNow,
} from './recent-figures.ts'

/** As often as the service takes a sample: what was read just now is not read again by the next page. */
const FRESH_MS = 5_000

/** What the service kept of each before the page was opened. */
export interface KeptFigures {
  /** When it was read: Unix milliseconds. */
  readonly at: number
  readonly of: ReadonlyMap<string, RecentFigures>
}

/** Of one gateway, or of all. Nothing else is wrong where it cannot be read: the lines begin now. */
const historiesOf = (gateway?: string) => ({
  queryKey: KEYS.histories(gateway),
  queryFn: ({ signal }: { readonly signal: AbortSignal }) => api.nodes.histories(gateway, signal),
  staleTime: FRESH_MS,
})

/** Asked for together with what stands beside it: so a line is there at the first paint. */
export const usePrefetchedFigures = (gateway: string): void => usePrefetchQuery(historiesOf(gateway))

/** Of each node of a gateway, and, by the gateway's own id, of all of them. */
export function useKeptFigures(gateway?: string): KeptFigures | undefined {
  const { data, dataUpdatedAt } = useQuery(historiesOf(gateway))
  return useMemo(() => data && { at: dataUpdatedAt, of: new Map(data.flatMap(entriesOf)) }, [data, dataUpdatedAt])
}

const entriesOf = ({ id, nodes }: GatewayHistory): (readonly [string, RecentFigures])[] => [
  [id, figuresOfAll(nodes)],
  ...nodes.map((node) => [node.id, figuresOf(node)] as const),
]

interface Drawn {
  readonly slot: number
  readonly kept: KeptFigures | undefined
  readonly lines: ReadonlyMap<string, RecentLine>
}

/** The last five minutes of each. `at`: when these figures came. What is given for one stays the same until there is more to draw. */
export function useRecentFigures(measured: readonly Measured[], at: number, kept: KeptFigures | undefined): (id: string) => RecentFigures {
  const drawn = useRef<Drawn>({ slot: Number.NEGATIVE_INFINITY, kept: undefined, lines: new Map() })
  const slot = slotAt(at)
  if (slot > drawn.current.slot || kept !== drawn.current.kept) {
    const { lines } = drawn.current
    drawn.current = { slot, kept, lines: new Map(measured.map((one) => [one.id, lineOf(one, lines.get(one.id), slot, kept)])) }
  }
  return (id) => drawn.current.lines.get(id)?.figures ?? NO_FIGURES
}

function lineOf(now: Measured, before: RecentLine | undefined, slot: number, kept: KeptFigures | undefined): RecentLine {
  const line = withNow(before, now, slot)
  const known = kept?.of.get(now.id)
  // The newest that was kept is older than the answer: that has a slot of its own.
  return kept && known ? withKept(line, known, slotAt(kept.at) - 1) : line
}
