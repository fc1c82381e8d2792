/** What one seed does to a cluster: pure, the same for the same seed. */
import { SeededRandom } from '../seeded-random.ts'

export const VICTIMS = ['worker', 'dispatcher', 'both nodes', 'service', 'service and its database'] as const
export type Victim = (typeof VICTIMS)[number]

export interface Strike {
  readonly victim: Victim
  /** From the moment that the first part moves. */
  readonly afterMs: number
  /** Until what was killed is started again, as its supervisor would. */
  readonly backAfterMs: number
}

export interface PlannedCopy<Pair extends string> {
  readonly pair: Pair
  readonly parts: number
  readonly verify: 'counts' | 'checksum'
}

export interface ChaosPlan<Pair extends string> {
  readonly seed: number
  readonly copies: readonly PlannedCopy<Pair>[]
  readonly strikes: readonly Strike[]
}

const COPIES = 2
const STRIKES = 2

/** Each seed copies between two pairs of stores at once, in turn, so that few seeds see them all; and kills once or twice. */
export function chaosPlan<Pair extends string>(seed: number, pairs: readonly [Pair, ...Pair[]]): ChaosPlan<Pair> {
  const random = new SeededRandom(seed)
  const copies = Array.from({ length: COPIES }, (_, i) => ({
    pair: pairs[(seed * COPIES + i) % pairs.length] ?? pairs[0],
    parts: random.between(1, 8),
    verify: random.pick<'counts' | 'checksum'>(['counts', 'checksum']),
  }))
  const strikes = Array.from({ length: random.between(1, STRIKES) }, () => ({
    victim: random.pick(VICTIMS),
    afterMs: random.between(0, 1_500),
    backAfterMs: random.between(0, 800),
  }))
  return { seed, copies, strikes: strikes.toSorted((a, b) => a.afterMs - b.afterMs) }
}
