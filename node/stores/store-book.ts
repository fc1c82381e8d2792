import type { Clock } from '@postern/base/clock.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { StoreId } from '@postern/protocol/ids.ts'
import { SERVICE_PATHS } from '@postern/protocol/link.ts'
import { NodeStore, type StoreRef, type StoresAnswer, type StoresAsked } from '@postern/protocol/node-api.ts'
import { storesNews, within } from '@postern/protocol/stores-news.ts'
import { z } from 'zod'
import type { ServiceClient } from '../calls/service-client.ts'
import type { VaultFiles } from '../vault/vault-file.ts'

interface StoreBookParts {
  readonly files: Pick<VaultFiles, 'read' | 'write' | 'remove'>
  readonly service: Pick<ServiceClient, 'call'>
  /** Another node may have it while the service is out of reach. Fails when none has. */
  readonly others: (ref: StoreRef, signal: AbortSignal) => Promise<NodeStore>
  readonly clock: Clock
}

/** What `vault/` holds, so that not every file of it must be opened to know. */
const INDEX = 'stores'
const Index = z.object({ version: z.int().nullable(), stores: z.array(z.tuple([StoreId, z.int()])) })
/** A service that does not answer for so long is not waited for when another node may know. */
const PATIENCE_MS = 300
/** Of one answer to another node. */
const NEWS_STORES = 500
const NEWS_BYTES = 4 << 20

/** Settings and sealed credentials of the gateway's stores, as they lie encrypted in `vault/`. */
export class StoreBook {
  readonly #parts: StoreBookParts
  readonly #versions = new Map<StoreId, number>()
  #version: number | null = null

  constructor(parts: StoreBookParts) {
    this.#parts = parts
  }

  /** The state of the gateway's stores that is held whole; null before the first. */
  get version(): number | null {
    return this.#version
  }

  get known(): StoresAsked['known'] {
    return [...this.#versions].map(([id, version]) => ({ id, version }))
  }

  versionOf(id: StoreId): number | null {
    return this.#versions.get(id) ?? null
  }

  async load(): Promise<void> {
    const index = Index.safeParse(parsed(await this.#parts.files.read(INDEX)))
    if (!index.success) return
    this.#version = index.data.version
    for (const [id, version] of index.data.stores) this.#versions.set(id, version)
  }

  async find(ref: StoreRef, signal: AbortSignal): Promise<NodeStore> {
    const kept = await this.#read(ref.id)
    if (kept && kept.version >= ref.version) return kept
    const store = await this.#ask(ref, signal)
    // A replica that has not heard of the change yet: better to say so than to use an old password.
    if (store.version < ref.version) throw new Fault('STORE_UNKNOWN', { at: `(${ref.name} in version ${ref.version})` })
    await this.#keep(store)
    return store
  }

  /** What is kept, `most` of it: settings, and credentials sealed as they are. */
  async list(most: number): Promise<{ readonly stores: readonly NodeStore[]; readonly more: boolean }> {
    const ids = [...this.#versions.keys()]
    const stores: NodeStore[] = []
    // One after the other: each is a file that is opened.
    for (const id of ids.slice(0, most)) {
      const store = await this.#read(id)
      if (store) stores.push(store)
    }
    return { stores, more: ids.length > most }
  }

  /** One that is kept. */
  async kept(id: StoreId): Promise<NodeStore | undefined> {
    return this.#versions.has(id) ? this.#read(id) : undefined
  }

  /** Of today, whatever is kept. */
  async fetch(ref: Pick<StoreRef, 'id'>, signal: AbortSignal): Promise<NodeStore> {
    return this.#parts.service.call({ method: 'GET', path: SERVICE_PATHS.store(ref.id), answer: NodeStore }, signal)
  }

  /** News of the stores, of the service or of another node. The state counts only once all of it is kept. */
  async take({ version, stores, gone, more }: StoresAnswer): Promise<void> {
    for (const store of stores) await this.#keep(store)
    for (const id of gone) {
      this.#versions.delete(id)
      await this.#parts.files.remove(id)
    }
    if (!more && version !== null) this.#version = Math.max(version, this.#version ?? 0)
    await this.#parts.files.write(INDEX, JSON.stringify({ version: this.#version, stores: [...this.#versions] }))
  }

  /** What is new here to another node. */
  async news(asked: StoresAsked): Promise<StoresAnswer> {
    const version = this.#version
    const { wanted, gone } = storesNews(this.known, asked)
    const found = await Promise.all(wanted.slice(0, NEWS_STORES).map((id) => this.#read(id)))
    const stores = found.filter((store) => store !== undefined)
    const fitting = within(stores, NEWS_BYTES)
    // Without a state of its own it does not know what is gone.
    return {
      version,
      stores: fitting,
      gone: version === null ? [] : gone,
      more: fitting.length < stores.length || wanted.length > NEWS_STORES,
    }
  }

  /** The service first; other nodes when it is out of reach, or slow. What it answers counts, also when that is "there is no such store". */
  async #ask(ref: StoreRef, signal: AbortSignal): Promise<NodeStore> {
    const over = new AbortController()
    const until = AbortSignal.any([signal, over.signal])
    const fromService = this.fetch(ref, until)
    const silent = fromService.then(
      () => undefined,
      (cause) => {
        if (!Fault.from(cause).canPass) throw cause
      },
    )
    const patience = this.#parts.clock.sleep(PATIENCE_MS, until).catch(() => undefined)
    const fromOthers = Promise.race([silent, patience]).then(() => this.#parts.others(ref, until))
    try {
      return await Promise.any([fromService, fromOthers])
    } catch (cause) {
      signal.throwIfAborted()
      throw cause instanceof AggregateError ? cause.errors[0] : cause
    } finally {
      over.abort()
    }
  }

  async #keep(store: NodeStore): Promise<void> {
    if ((this.#versions.get(store.id) ?? 0) > store.version) return
    await this.#parts.files.write(store.id, JSON.stringify(store))
    this.#versions.set(store.id, store.version)
  }

  async #read(id: StoreId): Promise<NodeStore | undefined> {
    return NodeStore.safeParse(parsed(await this.#parts.files.read(id))).data
  }
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}
