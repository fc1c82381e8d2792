import type { Clock } from '@postern/base/clock.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { StoreId } from '@postern/protocol/ids.ts'
import type { StoreRepository, StoreRow } from './store-repository.ts'

/** What another replica changed is seen after this time at the latest. */
const FRESH_MS = 1_000
const SIZE = 10_000

interface Seen {
  readonly store: StoreRow
  readonly at: number
}

/** Stores as the hot path of queries reads them: from memory, at most a second old. */
export class StoreDirectory {
  readonly #stores: StoreRepository
  readonly #clock: Clock
  readonly #byName = new Map<string, Seen>()
  readonly #asking = new Map<string, Promise<StoreRow>>()
  /** Grows with each own write: an answer that was asked for before it is not kept. */
  #writes = 0

  constructor(parts: { readonly stores: StoreRepository; readonly clock: Clock }) {
    this.#stores = parts.stores
    this.#clock = parts.clock
  }

  /** Synchronous while fresh. Fails with STORE_UNKNOWN. */
  byName(name: string): StoreRow | Promise<StoreRow> {
    const seen = this.#byName.get(name)
    if (seen && this.#clock.monotonic() - seen.at < FRESH_MS) return seen.store
    const asked = this.#asking.get(name)
    if (asked) return asked
    const asking = this.#ask(name, seen?.store).finally(() => this.#asking.delete(name))
    this.#asking.set(name, asking)
    return asking
  }

  async byId(id: StoreId): Promise<StoreRow | undefined> {
    return await this.#stores.find(id)
  }

  /** After an own write. */
  forget(name: string): void {
    this.#writes += 1
    this.#byName.delete(name)
    this.#asking.delete(name)
  }

  async #ask(name: string, stale: StoreRow | undefined): Promise<StoreRow> {
    const at = this.#clock.monotonic()
    const writes = this.#writes
    const store = await this.#stores.findByName(name).catch((cause: unknown) => {
      // Nothing can change while the database is away: queries go on with what is known.
      if (stale && Fault.from(cause).code === 'DATABASE_UNREACHABLE') return stale
      throw cause
    })
    if (!store) {
      this.#byName.delete(name)
      throw new Fault('STORE_UNKNOWN', { at: name })
    }
    if (this.#byName.size >= SIZE) this.#byName.clear()
    if (writes === this.#writes && store !== stale) this.#byName.set(name, { store, at })
    return store
  }
}
