import { LIMITS } from '@postern/protocol/limits.ts'
import type { BeatResponse } from '@postern/protocol/node-api.ts'

export interface Lease {
  readonly epoch: number
  /** On this process's monotonic clock: from then on another may hold it. */
  readonly until: number
}

/**
 * The dispatcher's lease as this node may count on it: from the moment the beat was *sent*, for the service cannot have
 * granted it earlier, and less a margin. A node that hears nothing more stops by itself, before the lease can go to another.
 */
export function leaseOf(dispatcher: BeatResponse['dispatcher'], askedAt: number): Lease | undefined {
  if (!dispatcher.mine) return undefined
  return { epoch: dispatcher.epoch, until: askedAt + dispatcher.leaseMs - LIMITS.leaseMarginMs }
}
