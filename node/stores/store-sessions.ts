import type { Clock } from '@postern/base/clock.ts'
import type { HostGuard } from '@postern/base/host-guard.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log, Secret } from '@postern/base/log.ts'
import { audienceOf, type Connector, type Session } from '@postern/connectors/contract.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { NodeStore, StoreRef } from '@postern/protocol/node-api.ts'
import type { References } from '../references/references.ts'
import { hasReferences, Referred } from '../references/referred.ts'
import type { GatewayKey } from '../vault/gateway-key.ts'
import type { StaleCredentials } from './stale-credentials.ts'
import type { StoreBook } from './store-book.ts'
import { connectorOf, secretsOf } from './store-credentials.ts'

/** A store in use. Give it back with `release`, once. */
export interface OpenedStore {
  readonly connector: Connector
  readonly session: Session
  release(): void
  /**
   * Whether it is worth to try once more, with what is acquired anew: the store refused a sign-in (`cause`) whose secret the
   * store only refers to, and it is another one by now.
   */
  renewed(cause: unknown): Promise<boolean>
}

interface StoreSessionsParts {
  readonly book: StoreBook
  readonly key: () => GatewayKey | undefined
  readonly stale: StaleCredentials
  readonly references: Pick<References, 'resolve' | 'lifeMs'>
  readonly clock: Clock
  readonly log: Log
  readonly scratch: string
  /** By which connections to stores are opened. */
  readonly hosts: HostGuard
  /** Whether a task runs here, or a run's snapshot is held. */
  readonly copying: () => boolean
}

interface Opened {
  readonly connector: Connector
  readonly session: Session
  /** Of a store whose secrets are references. */
  readonly referred?: Referred | undefined
}

interface Entry {
  readonly ref: StoreRef
  readonly version: number
  readonly opening: Promise<Opened>
  /** Set once it is open: the way of every query but the first. */
  opened?: Opened
  users: number
  idleSince: number
  /** The engine has it, and does not say when it is done with it: kept while any copying goes on. */
  copies: boolean
}

const IDLE_MS = 300_000
/** How old secrets may be that a task begins with. */
const COPY_FRESH_MS = 10_000
const SWEEP_MS = 10_000

/** One connector session a store and version, shared by queries and copies; opened on first use, closed when idle. */
export class StoreSessions implements Component {
  readonly name = 'stores'
  readonly #parts: StoreSessionsParts
  readonly #current = new Map<string, Entry>()
  /** Of older versions, while somebody still uses them. */
  readonly #leaving = new Set<Entry>()
  readonly #stopping = new AbortController()
  #loop: Promise<void> | undefined

  constructor(parts: StoreSessionsParts) {
    this.#parts = parts
  }

  async start(): Promise<void> {
    this.#loop ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Fault('STOPPING'))
    await this.#loop
    const all = [...this.#current.values(), ...this.#leaving]
    this.#current.clear()
    this.#leaving.clear()
    await Promise.all(all.map((entry) => this.#close(entry)))
  }

  /** Closes every session that nobody uses, and the others as soon as they are given back. */
  async letGo(): Promise<void> {
    for (const entry of this.#current.values()) this.#leaving.add(entry)
    this.#current.clear()
    await this.#sweep(this.#parts.clock.monotonic())
  }

  /** At once when the store is open; a promise while it is being opened. */
  acquire(ref: StoreRef): OpenedStore | Promise<OpenedStore> {
    const entry = this.#entry(ref)
    entry.users += 1
    const release = this.#releaser(entry)
    const renewed = (cause: unknown) => this.#renewed(entry, cause)
    if (entry.opened) return { ...entry.opened, release, renewed }
    return entry.opening.then(
      (opened) => ({ ...opened, release, renewed }),
      (cause: unknown) => {
        release()
        throw cause
      },
    )
  }

  /** For the engine, which shares sessions and keeps snapshots in them beyond a task. */
  async open(ref: StoreRef, signal: AbortSignal): Promise<Pick<OpenedStore, 'connector' | 'session'>> {
    signal.throwIfAborted()
    const known = this.#entry(ref)
    const { referred } = await known.opening
    // A task cannot try again by itself: it begins with secrets of now.
    if (referred?.isOlderThan(COPY_FRESH_MS)) await this.#look(known, referred)
    const entry = this.#entry(ref)
    entry.copies = true
    return entry.opening
  }

  /** Uses a store, and once more where a secret that it refers to has changed. */
  async use<Value>(ref: StoreRef, work: (session: Session) => Promise<Value>): Promise<Value> {
    const first = await this.acquire(ref)
    try {
      return await work(first.session)
    } catch (cause) {
      if (!(await first.renewed(cause))) throw cause
    } finally {
      first.release()
    }
    const second = await this.acquire(ref)
    try {
      return await work(second.session)
    } finally {
      second.release()
    }
  }

  /** Where the store listens. Fails with CONNECT_UNSUPPORTED for one that has no host and port. */
  async place(ref: StoreRef, signal: AbortSignal): Promise<{ readonly host: string; readonly port: number }> {
    const [store, { CONNECTORS }, { placeOf }] = await Promise.all([
      this.#parts.book.find(ref, signal),
      import('@postern/connectors/registry.ts'),
      import('./store-settings.ts'),
    ])
    return placeOf(CONNECTORS.get(store.kind), store)
  }

  #entry(ref: StoreRef): Entry {
    this.#stopping.signal.throwIfAborted()
    const current = this.#current.get(ref.id)
    if (current && current.version >= ref.version) {
      const referred = current.opened?.referred
      // Nobody waits for it: until it is known to be another one, the secret that was read is good.
      if (referred?.isOlderThan(this.#parts.references.lifeMs)) void this.#look(current, referred)
      return current
    }
    if (current) this.#leaving.add(current)
    const entry: Entry = {
      ref,
      version: ref.version,
      opening: this.#open(ref),
      users: 0,
      idleSince: this.#parts.clock.monotonic(),
      copies: false,
    }
    this.#current.set(ref.id, entry)
    entry.opening.then(
      (opened) => {
        entry.opened = opened
      },
      // A failure is not kept: the next query tries anew.
      () => this.#current.get(ref.id) === entry && this.#current.delete(ref.id),
    )
    return entry
  }

  #releaser(entry: Entry): () => void {
    let released = false
    return () => {
      if (released) return
      released = true
      entry.users -= 1
      entry.idleSince = this.#parts.clock.monotonic()
    }
  }

  async #open(ref: StoreRef): Promise<Opened> {
    const { store, connector, secrets } = await this.#credentials(ref)
    const { usableSettings } = await import('./store-settings.ts')
    const { clock, log, scratch, hosts } = this.#parts
    const referred = hasReferences(secrets) ? new Referred(() => this.#resolve(store, connector, secrets), clock) : undefined
    const usable = usableSettings(connector, store.settings, referred ? await referred.first() : secrets)
    const session = await connector.open({ ...usable, log: log.child({ store: store.name }), scratch, hosts })
    return { connector, session, referred }
  }

  #resolve(store: NodeStore, connector: Connector, secrets: Readonly<Record<string, Secret>>) {
    return this.#parts.references.resolve(secrets, audienceOf(connector, store.settings), this.#stopping.signal)
  }

  /** Looks whether the secrets are still the same; where they are not, the next caller opens the store anew. Never fails. */
  async #look(entry: Entry, referred: Referred): Promise<void> {
    const { log } = this.#parts
    try {
      if (!(await referred.changed())) return
    } catch (cause) {
      // The store takes the one that was read, as far as is known.
      log.warn({ store: entry.ref.name, reason: Fault.from(cause).message }, 'a secret that a store refers to could not be read again')
      return
    }
    if (this.#current.get(entry.ref.id) !== entry) return
    this.#current.delete(entry.ref.id)
    this.#leaving.add(entry)
    log.info({ store: entry.ref.name }, 'a secret that a store refers to has changed')
  }

  async #renewed(entry: Entry, cause: unknown): Promise<boolean> {
    const referred = entry.opened?.referred
    if (!referred || Fault.from(cause).code !== 'STORE_DENIED') return false
    await this.#look(entry, referred)
    return this.#current.get(entry.ref.id) !== entry
  }

  async #credentials(ref: StoreRef) {
    const { book, key, stale } = this.#parts
    try {
      const store = await book.find(ref, this.#stopping.signal)
      const connector = await connectorOf(store.kind)
      const secrets = await secretsOf(store, connector, key())
      stale.opened(ref)
      return { store, connector, secrets }
    } catch (cause) {
      stale.failed(ref, cause)
      throw cause
    }
  }

  async #run(): Promise<void> {
    const { clock } = this.#parts
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await clock.sleep(SWEEP_MS, signal).catch(() => undefined)
      if (!signal.aborted) await this.#sweep(clock.monotonic())
    }
  }

  async #sweep(now: number): Promise<void> {
    const copying = this.#parts.copying()
    const inUse = (entry: Entry) => entry.users > 0 || entry.opened === undefined || (entry.copies && copying)
    for (const entry of [...this.#leaving].filter((leaving) => !inUse(leaving))) {
      this.#leaving.delete(entry)
      await this.#close(entry)
    }
    for (const [id, entry] of this.#current) {
      if (inUse(entry)) entry.idleSince = now
      else if (now - entry.idleSince >= IDLE_MS) {
        this.#current.delete(id)
        await this.#close(entry)
      }
    }
  }

  async #close(entry: Entry): Promise<void> {
    const opened = await entry.opening.catch(() => undefined)
    try {
      await opened?.session[Symbol.asyncDispose]()
    } catch (cause) {
      this.#parts.log.warn({ err: cause }, 'a store did not close')
    }
  }
}
