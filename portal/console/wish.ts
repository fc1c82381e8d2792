import type { Asked, NodeFacts } from '@postern/protocol/console-api.ts'

/** What was asked of the process here, and of which start of it. */
export interface Wish {
  readonly what: Asked['asked']
  readonly startedAt: string
}

export type WishState = 'doing' | 'stopped' | 'done'

/** A node that does not answer is one that does as it was asked. Pure. */
export function wishState({ what, startedAt }: Wish, facts: Pick<NodeFacts, 'startedAt'>, away: boolean): WishState {
  if (!away && facts.startedAt !== startedAt) return 'done'
  return what === 'stop' && away ? 'stopped' : 'doing'
}
