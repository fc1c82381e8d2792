/** One thing that is done again and again, with a pause between: never twice at a time, and not any more once it is stopped. */
import type { Clock } from './clock.ts'

export interface RoundsParts {
  /** From the end of one round to the beginning of the next. */
  readonly everyMs: number
  /** Before the first; `everyMs` where it is not given. */
  readonly firstMs?: number
  readonly clock: Clock
  /** The signal is aborted by `stop`, which waits for the round that runs. */
  readonly round: (signal: AbortSignal) => unknown
  /** A round that fails does not end the others. */
  readonly failed: (cause: unknown) => void
}

export class Rounds {
  readonly #parts: RoundsParts
  readonly #stopping = new AbortController()
  #loop: Promise<void> | undefined

  constructor(parts: RoundsParts) {
    this.#parts = parts
  }

  start(): void {
    this.#loop ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
  }

  async #run(): Promise<void> {
    const { everyMs, firstMs = everyMs, clock, round, failed } = this.#parts
    const { signal } = this.#stopping
    for (let pauseMs = firstMs; !signal.aborted; pauseMs = everyMs) {
      await clock.sleep(pauseMs, signal).catch(() => undefined)
      if (signal.aborted) return
      try {
        await round(signal)
      } catch (cause) {
        failed(cause)
      }
    }
  }
}
