import type { Clock } from '@postern/base/clock.ts'

const WINDOW_MS = 60_000
const ADDRESSES = 10_000

/**
 * Counts what was wrong (keys, tokens, names of nodes) by the address, or the network, that it came from: guessing is hopeless anyway, this
 * keeps it from being work for us.
 */
export class AddressThrottle {
  readonly #clock: Clock
  readonly #most: number
  #wrong = new Map<string, { count: number; readonly since: number }>()

  /** `most`: so many in a minute, then it waits. */
  constructor(clock: Clock, most: number) {
    this.#clock = clock
    this.#most = most
  }

  /** Nobody was wrong of late. */
  get quiet(): boolean {
    return this.#wrong.size === 0
  }

  /** Seconds to wait; 0 when the address may try. */
  waitSeconds(address: string): number {
    const seen = this.#wrong.get(address)
    if (!seen) return 0
    const left = seen.since + WINDOW_MS - this.#clock.monotonic()
    if (left <= 0) {
      this.#wrong.delete(address)
      return 0
    }
    return seen.count < this.#most ? 0 : Math.ceil(left / 1_000)
  }

  wrong(address: string): void {
    if (this.#wrong.size >= ADDRESSES) this.#wrong = new Map()
    const seen = this.#wrong.get(address)
    if (seen && this.#clock.monotonic() - seen.since < WINDOW_MS) seen.count += 1
    else this.#wrong.set(address, { count: 1, since: this.#clock.monotonic() })
  }
}
