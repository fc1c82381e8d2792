import type { Clock } from '@postern/base/clock.ts'
import type { Counters } from '@postern/protocol/task-api.ts'
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

  /** The last word. It goes out with the outcome, so it is told apart from it only when it is time. */
  set(counters: Partial<Counters>): void {
    this.#counters = { ...this.#counters, ...counters }
    if (this.due()) this.#now()
  }

  /** True when it is time to tell again: cheap enough to ask for each chunk. */
  due(): boolean {
    return this.#clock.monotonic() - this.#toldAt >= ENGINE_LIMITS.progressMs
  }

  progress(counters: Partial<Counters>): void {
    this.#counters = { ...this.#counters, ...counters }
    this.#now()
  }

  #now(): void {
    this.#toldAt = this.#clock.monotonic()
    this.#tell(this.#counters)
  }
}
