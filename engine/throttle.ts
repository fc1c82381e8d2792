import type { Clock } from '@postern/base/clock.ts'
import type { TaskLimits } from '@postern/protocol/task-api.ts'

/** What may go out at once after a pause: less than a second's worth, so that a rate holds over any second. */
const BURST_MS = 100
/** Longer waits are cut, so that a limit that is raised meanwhile is heeded soon. */
const NAP_MS = 500

/**
 * Holds rows and bytes to what may move in a second. What has moved is paid for afterwards: a debt is slept off before the next
 * piece, so pieces need not fit the limit.
 */
export class Throttle {
  readonly #clock: Clock
  readonly #limits: () => TaskLimits
  #paidAt: number
  #debt = { rows: 0, bytes: 0 }

  constructor(clock: Clock, limits: () => TaskLimits) {
    this.#clock = clock
    this.#limits = limits
    this.#paidAt = clock.monotonic()
  }

  /** Takes note of what has moved; the milliseconds until more may. */
  spend(rows: number, bytes: number): number {
    this.#pay()
    this.#debt.rows += rows
    this.#debt.bytes += bytes
    return this.#waitMs()
  }

  /** Settles when the debt is paid. */
  async rest(signal: AbortSignal): Promise<void> {
    for (let ms = this.#waitMs(); ms > 0; ms = this.#waitMs()) {
      await this.#clock.sleep(Math.min(ms, NAP_MS), signal)
      this.#pay()
    }
  }

  #pay(): void {
    const now = this.#clock.monotonic()
    const seconds = (now - this.#paidAt) / 1_000
    this.#paidAt = now
    const { rowsPerSecond, bytesPerSecond } = this.#limits()
    this.#debt = { rows: paid(this.#debt.rows, rowsPerSecond, seconds), bytes: paid(this.#debt.bytes, bytesPerSecond, seconds) }
  }

  #waitMs(): number {
    const { rowsPerSecond, bytesPerSecond } = this.#limits()
    return Math.max(wait(this.#debt.rows, rowsPerSecond), wait(this.#debt.bytes, bytesPerSecond))
  }
}

/** What is left of a debt; below zero is what may go out at once. */
function paid(debt: number, perSecond: number | undefined, seconds: number): number {
  return perSecond === undefined ? 0 : Math.max(debt - perSecond * seconds, (-perSecond * BURST_MS) / 1_000)
}

function wait(debt: number, perSecond: number | undefined): number {
  return perSecond === undefined || debt <= 0 ? 0 : Math.ceil((debt / perSecond) * 1_000)
}
