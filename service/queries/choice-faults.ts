/** What a choice of a node ends with that chose none. */
import { Fault } from '@postern/protocol/fault.ts'
import type { Considered, LimitName } from './choose.ts'

const AT_LIMIT = { CPU: 'GATEWAY_AT_CPU_LIMIT', memory: 'GATEWAY_AT_MEMORY_LIMIT', concurrency: 'GATEWAY_AT_LIMIT' } as const

/** Waiting would have helped, and has not. */
export function atLimit(limit: LimitName | null): Fault {
  return new Fault(AT_LIMIT[limit ?? 'concurrency'])
}

/** Says of each node why it cannot. */
export function noNode(gateway: string, considered: readonly Considered[]): Fault {
  const why = considered.map(({ node, reason }) => `${node} ${reason}`).join(', ')
  return new Fault('NO_NODE_AVAILABLE', { at: why === '' ? `Gateway ${gateway} has no nodes.` : `Gateway ${gateway}: ${why}.` })
}
