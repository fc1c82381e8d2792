/** What a pair of connectors can promise: pure, and the same every time. */
import type { Abilities } from '@postern/connectors/contract.ts'
import type { Shape } from '@postern/connectors/copy-contract.ts'
import type { Guarantee } from '@postern/protocol/api/runs.ts'
import { Fault } from '@postern/protocol/fault.ts'

export interface GuaranteeGiven {
  readonly guarantee: Guarantee
  readonly note: string
}

/** Rows are there exactly once when the target commits rows and commit record together, or puts files in place by a rename. */
export function guaranteeOf(source: End, sink: End, asked: Guarantee, { oneMoment }: Pick<Shape, 'oneMoment'> = {}): GuaranteeGiven {
  const gives: Guarantee = sink.can.sink?.exactlyOnce === true ? 'exactly-once' : 'at-least-once'
  if (asked === 'exactly-once' && gives !== 'exactly-once') {
    throw new Fault('GUARANTEE_IMPOSSIBLE', {
      at: `${sink.kind} cannot commit rows together with the record of their commit, so a part that is tried again may be there twice`,
      remedy: 'Ask for at-least-once (guarantee: at-least-once), or copy to a store that commits.',
    })
  }
  const together = `a part and its commit record reach ${sink.kind} together or not at all`
  const snapshot = source.can.source?.snapshot === true || oneMoment !== undefined
  return gives === 'exactly-once'
    ? {
        guarantee: gives,
        note: `Exactly once: ${together}${snapshot ? '.' : `; ${source.kind} has no snapshots, so do not change it meanwhile.`}`,
      }
    : { guarantee: gives, note: `At least once: a part that is tried again may be in ${sink.kind} twice.` }
}

export interface End {
  readonly kind: string
  readonly can: Abilities
}
