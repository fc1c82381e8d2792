import type { Clock } from '@postern/base/clock.ts'
import { networkOf } from '@postern/base/network-of.ts'

const WINDOW_MS = 60_000
const MOST_ADDRESSES = 10_000

/** So many a minute from one address: for what costs us something before we know who asks. */
export class AddressRate {
  readonly #clock: Clock
  readonly #perMinute: number
  readonly #seen = new Map<string, { count: number; readonly since: number }>()

  constructor(clock: Clock, perMinute: number) {
    this.#clock = clock
    this.#perMinute = perMinute
  }

  /** Seconds to wait; 0: it may go on, and is counted. */
  take(address: string): number {
    const now = this.#clock.monotonic()
    const network = networkOf(address)
    const seen = this.#seen.get(network)
    if (!seen || now - seen.since >= WINDOW_MS) {
      if (this.#seen.size >= MOST_ADDRESSES) this.#seen.clear()
      this.#seen.set(network, { count: 1, since: now })
      return 0
    }
    if (seen.count >= this.#perMinute) return Math.ceil((seen.since + WINDOW_MS - now) / 1_000)
    seen.count += 1
    return 0
  }
}
