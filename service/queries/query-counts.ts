import { Fault } from '@postern/protocol/fault.ts'
import type { Limiter } from './query-limits.ts'

type Counted = Limiter & { readonly id: string }

/** How many queries run at a time for each store and each token, through this replica; all of them, so that a new limit counts right. */
export class QueryCounts {
  readonly #running = new Map<string, number>()

  /** Takes a place with both; give it back with `leave`. Fails with TOO_MANY_QUERIES, and takes none. */
  enter(store: Counted, caller: Counted): void {
    const ofStore = this.#place('store', store)
    const ofCaller = this.#place('token', caller)
    this.#running.set(store.id, ofStore)
    this.#running.set(caller.id, ofCaller)
  }

  leave(store: Counted, caller: Counted): void {
    this.#give(store.id)
    this.#give(caller.id)
  }

  #place(what: string, { id, name, limits }: Counted): number {
    const next = (this.#running.get(id) ?? 0) + 1
    if (next > (limits.concurrency ?? Number.POSITIVE_INFINITY)) {
      throw new Fault('TOO_MANY_QUERIES', { at: `The limit is concurrency ${limits.concurrency} of ${what} ${name}.` })
    }
    return next
  }

  #give(id: string): void {
    const left = (this.#running.get(id) ?? 0) - 1
    if (left > 0) this.#running.set(id, left)
    else this.#running.delete(id)
  }
}
