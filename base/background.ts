/** Promises that nobody awaits are owned here, so that `stop()` can wait for them and a failure is never lost. */
export class Background {
  readonly #running = new Set<Promise<void>>()
  readonly #onError: (cause: unknown) => void

  constructor(onError: (cause: unknown) => void) {
    this.#onError = onError
  }

  run(work: () => Promise<unknown>): void {
    const promise: Promise<void> = work()
      .then(() => undefined, this.#onError)
      .finally(() => this.#running.delete(promise))
    this.#running.add(promise)
  }

  get size(): number {
    return this.#running.size
  }

  /** Settles when all that runs now, and all that it starts, is done. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }
}
