import type { NodeView } from '@postern/protocol/api/gateways.ts'
import { useRef } from 'react'
import { type NodeSearch, sortedNodes } from './node-list.ts'

/** Figures change each second; rows that did would slip from under the pointer. */
const STAYS_MS = 5_000

interface Order {
  readonly sort: NodeSearch['sort']
  readonly at: number
  readonly places: ReadonlyMap<string, number>
}

/** Sorted anew each few seconds, and at once where a node came or another order is wanted. `at`: when the figures came. */
export function useNodeOrder(nodes: readonly NodeView[], sort: NodeSearch['sort'], at: number): readonly NodeView[] {
  const kept = useRef<Order>(undefined)
  let order = kept.current
  if (!order || order.sort !== sort || at - order.at >= STAYS_MS || nodes.some(({ id }) => !order?.places.has(id))) {
    order = { sort, at, places: new Map(sortedNodes(nodes, sort).map(({ id }, index) => [id, index])) }
    kept.current = order
  }
  const { places } = order
  return nodes.toSorted((a, b) => (places.get(a.id) ?? 0) - (places.get(b.id) ?? 0))
}
