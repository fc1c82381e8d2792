import { Fault } from '@postern/protocol/fault.ts'
import { SERVICE_PATHS } from '@postern/protocol/link.ts'
import { NodeStore, type StoreRef } from '@postern/protocol/node-api.ts'
import type { ServiceClient } from '../calls/service-client.ts'
import type { VaultFiles } from '../vault/vault-file.ts'

interface StoreBookParts {
  readonly files: VaultFiles
  readonly service: ServiceClient
}

/** Settings and sealed credentials of stores: asked of the service once a version, kept in `vault/` over restarts. */
export class StoreBook {
  readonly #parts: StoreBookParts

  constructor(parts: StoreBookParts) {
    this.#parts = parts
  }

  async find(ref: StoreRef, signal: AbortSignal): Promise<NodeStore> {
    const kept = await this.#read(ref)
    if (kept && kept.version >= ref.version) return kept
    const store = await this.fetch(ref, signal)
    // A replica that has not heard of the change yet: better to say so than to use an old password.
    if (store.version < ref.version) throw new Fault('STORE_UNKNOWN', { at: `(${ref.name} in version ${ref.version})` })
    await this.#parts.files.write(ref.id, JSON.stringify(store))
    return store
  }

  /** Of today, whatever is kept. */
  async fetch(ref: Pick<StoreRef, 'id'>, signal: AbortSignal): Promise<NodeStore> {
    return this.#parts.service.call({ method: 'GET', path: SERVICE_PATHS.store(ref.id), answer: NodeStore }, signal)
  }

  async #read(ref: StoreRef): Promise<NodeStore | undefined> {
    const text = await this.#parts.files.read(ref.id)
    if (text === undefined) return undefined
    const parsed = NodeStore.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : undefined
  }
}
