import type { Clock } from '@postern/base/clock.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { StoreId } from '@postern/protocol/ids.ts'
import { type Asking, soonOrKnown } from '../db/asking.ts'
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
  readonly #asking = new Map<string, Asking<StoreRow>>()
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
    const since = this.#clock.monotonic()
    let asking = this.#asking.get(name)
    if (!asking) {
      asking = { answer: this.#ask(name, seen?.store).finally(() => this.#asking.delete(name)), since }
      this.#asking.set(name, asking)
    }
    return soonOrKnown(asking, seen?.store, since)
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

  /** After a write to many. */
  forgetAll(): void {
    this.#writes += 1
    this.#byName.clear()
    this.#asking.clear()
  }

  async #ask(name: string, stale: StoreRow | undefined): Promise<StoreRow> {
    const writes = this.#writes
    let at = this.#clock.monotonic()
    const store = await this.#stores.findByName(name).catch((cause: unknown) => {
      // Nothing can change while the database is away: queries go on with what is known.
      if (!stale || Fault.from(cause).code !== 'DATABASE_UNREACHABLE') throw cause
      at = this.#clock.monotonic()
      return stale
    })
    if (!store) {
      this.#byName.delete(name)
      throw new Fault('STORE_UNKNOWN', { at: name })
    }
    if (this.#byName.size >= SIZE) this.#byName.clear()
    if (writes === this.#writes) this.#byName.set(name, { store, at })
    return store
  }
}
