import type { NodeView } from '@postern/protocol/api/gateways.ts'
import { useRef } from 'react'

/** Two minutes at one look a second. */
const MOST = 120

export type NodeHistory = readonly { readonly at: number; readonly cpu: number; readonly memory: number; readonly network: number }[]

/** Figures of the nodes since the page was opened. `at`: when these came; the same figures are taken once. */
export function useNodeHistory(nodes: readonly NodeView[], at: number): ReadonlyMap<string, NodeHistory> {
  const kept = useRef<ReadonlyMap<string, NodeHistory>>(new Map())
  const last = useRef(0)
  if (at > last.current) {
    last.current = at
    kept.current = new Map(nodes.map((node) => [node.id, [...(kept.current.get(node.id) ?? []), figuresOf(node, at)].slice(-MOST)]))
  }
  return kept.current
}

const figuresOf = (node: NodeView, at: number) => ({
  at,
  cpu: node.cpuPercent,
  memory: node.availableMemoryBytes,
  network: node.networkInBytesPerSecond + node.networkOutBytesPerSecond,
})
