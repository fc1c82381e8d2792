/** Anything that holds a resource. Only `start` and `stop` must exist; every method may be called twice. */
export interface Component {
  readonly name: string
  start(): Promise<void>
  /** Take no new work, finish the work in hand. Must settle soon after `deadline` aborts. */
  drain?(deadline: AbortSignal): Promise<void>
  stop(): Promise<void>
}

/** Starts parts in order; drains all backwards, then stops all backwards; what a failed start began is stopped again. */
export class Lifecycle implements AsyncDisposable {
  readonly #parts: readonly Component[]
  #started: Component[] = []
  #stopping: Promise<void> | undefined

  constructor(parts: readonly Component[]) {
    this.#parts = parts
  }

  async start(): Promise<void> {
    for (const part of this.#parts) {
      this.#started.push(part)
      try {
        await part.start()
      } catch (cause) {
        await this.stop().catch(() => undefined)
        throw cause
      }
    }
  }

  /** The same promise for every caller. Failures are collected into one AggregateError. */
  stop(deadline: AbortSignal = AbortSignal.timeout(0)): Promise<void> {
    this.#stopping ??= this.#end(deadline)
    return this.#stopping
  }

  async #end(deadline: AbortSignal): Promise<void> {
    const backwards = this.#started.toReversed()
    this.#started = []
    const failures: unknown[] = []
    for (const part of backwards) await part.drain?.(deadline).catch((cause) => failures.push(cause))
    for (const part of backwards) await part.stop().catch((cause) => failures.push(cause))
    if (failures.length > 0) throw new AggregateError(failures, 'Some parts did not stop cleanly.')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}
