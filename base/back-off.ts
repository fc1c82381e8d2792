import type { Random } from './random.ts'

export interface BackOffOptions {
  readonly firstMs: number
  readonly maxMs: number
}

/**
 * Waits that double, with full jitter in their upper half: `wait n` lies between half and all of min(maxMs, firstMs × 2ⁿ).
 * Call `reset` only after the thing has worked for a while, or a flapping peer is dialled at full rate.
 */
export class BackOff {
  readonly #options: BackOffOptions
  readonly #random: Random
  #failures = 0

  constructor(options: BackOffOptions, random: Random) {
    this.#options = options
    this.#random = random
  }

  get failures(): number {
    return this.#failures
  }

  next(): number {
    const { firstMs, maxMs } = this.#options
    const full = Math.min(maxMs, firstMs * 2 ** Math.min(this.#failures, 30))
    this.#failures += 1
    return full / 2 + (full / 2) * this.#random.fraction()
  }

  reset(): void {
    this.#failures = 0
  }
}
