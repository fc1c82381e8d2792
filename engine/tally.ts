import type { Clock } from '@postern/base/clock.ts'
import type { Counters } from '@postern/protocol/node-api.ts'
import { ENGINE_LIMITS } from './limits.ts'
import { NOTHING_MOVED } from './outcome.ts'

/** What one attempt has moved so far, told on now and then. */
export class Tally {
  readonly #clock: Clock
  readonly #tell: (counters: Counters) => void
  #counters: Counters = NOTHING_MOVED
  #toldAt: number

  constructor(clock: Clock, tell: (counters: Counters) => void) {
    this.#clock = clock
    this.#tell = tell
    this.#toldAt = clock.monotonic()
  }

  get counters(): Counters {
    return this.#counters
  }

  /** The last word: always told. */
  set(counters: Partial<Counters>): void {
    this.#counters = { ...this.#counters, ...counters }
    this.#tell(this.#counters)
  }

  /** True when it is time to tell again: cheap enough to ask for each chunk. */
  due(): boolean {
    return this.#clock.monotonic() - this.#toldAt >= ENGINE_LIMITS.progressMs
  }

  progress(counters: Partial<Counters>): void {
    this.#toldAt = this.#clock.monotonic()
    this.set(counters)
  }
}
