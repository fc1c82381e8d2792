/** Which node should hold the dispatcher's lease: pure, so that every node's beat comes to the same answer. */
import type { NodeId } from '@postern/protocol/ids.ts'

export interface Contender {
  readonly id: NodeId
  readonly isPrimary: boolean
  /** Alive, enabled, not draining. */
  readonly eligible: boolean
  readonly linked: boolean
  readonly linkAgeMs: number
}

export type LeaseMove = 'take' | 'release' | 'wait'

/** A primary that comes and goes must not take the lease with each coming. */
const STEADY_MS = 5_000

/** What a node should do about the lease in its beat. `contenders` in the gateway's order of preference. */
export function leaseMove(me: NodeId, holder: NodeId | null, contenders: readonly Contender[]): LeaseMove {
  const mine = contenders.find(({ id }) => id === me)
  if (!mine?.eligible) return holder === me ? 'release' : 'wait'
  const eligible = contenders.filter((contender) => contender.eligible)
  const preferred = eligible.find((contender) => contender.linked) ?? eligible[0]
  if (holder !== me) return preferred?.id === me ? 'take' : 'wait'
  const better = preferred && preferred.id !== me && preferred.isPrimary && preferred.linked && preferred.linkAgeMs >= STEADY_MS
  return better ? 'release' : 'take'
}
