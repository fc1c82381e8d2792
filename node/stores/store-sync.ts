import { BackOff } from '@postern/base/back-off.ts'
import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import type { Random } from '@postern/base/random.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { NodeId } from '@postern/protocol/ids.ts'
import { NODE_PATHS, SERVICE_PATHS } from '@postern/protocol/link.ts'
import { type NodeStore, type Peer, type StoreRef, StoresAnswer, StoresAsked } from '@postern/protocol/node-api.ts'
import { parseBody } from '../app/parse.ts'
import { answer, type Route } from '../app/router.ts'
import type { ServiceClient } from '../calls/service-client.ts'
import type { ChannelClient } from '../channel/channel-client.ts'
import type { StoreBook } from './store-book.ts'

interface StoreSyncParts {
  readonly self: NodeId
  readonly book: StoreBook
  readonly service: Pick<ServiceClient, 'call'>
  readonly channel: Pick<ChannelClient, 'call'>
  readonly peers: () => readonly Peer[]
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

type Ask = (asked: StoresAsked, signal: AbortSignal) => Promise<StoresAnswer>

const IDLE_MS = 60_000
/** A worker waits so long for its dispatcher, which hears of changes with its own beat, before it asks the service itself. */
const PATIENCE_MS = 1_500
const TELL_MS = 2_000
/** Answers of one round: more than MOST_STORES would need. */
const MOST_ANSWERS = 1_000
const TROUBLE = { firstMs: 250, maxMs: 5_000 } as const

/**
 * Keeps the stores' settings and sealed credentials on this node as new as the service's. The dispatcher asks the service and tells
 * the others, which ask the dispatcher over the channel; the service themselves where that does not work.
 */
export class StoreSync implements Component {
  readonly name = 'store-sync'
  readonly #parts: StoreSyncParts
  readonly #stopping = new AbortController()
  readonly #backOff: BackOff
  #wake = new AbortController()
  #loop: Promise<void> | undefined
  #wanted: number | undefined
  #wantedSince = 0
  #dispatcher: NodeId | null = null
  /** Who says that there is news. */
  #told: NodeId | undefined
  #failing: string | undefined

  constructor(parts: StoreSyncParts) {
    this.#parts = parts
    this.#backOff = new BackOff(TROUBLE, parts.random)
  }

  get routes(): Readonly<Record<string, Route>> {
    return {
      [NODE_PATHS.stores]: {
        doors: ['channel'],
        handle: async ({ stream, body }) => answer(stream, await this.#parts.book.news(parseBody(StoresAsked, body))),
      },
      [NODE_PATHS.storesChanged]: {
        doors: ['channel'],
        handle: async ({ stream, door }) => {
          if (door.is === 'channel') this.#told = door.peer
          this.#wake.abort()
          answer(stream)
        },
      },
    }
  }

  /** Changes that this node knows of and could not fetch, and why; none while it is about to. */
  get behind(): { readonly changes: number; readonly reason: string } | undefined {
    if (this.#failing === undefined) return undefined
    return { changes: Math.max(1, (this.#wanted ?? 0) - (this.#parts.book.version ?? 0)), reason: this.#failing }
  }

  /** What the answer to a beat says. A service of an older version says nothing: then stores are fetched when they are used. */
  know(wanted: number | undefined, dispatcher: NodeId | null): void {
    this.#dispatcher = dispatcher
    if (wanted === undefined) return
    if (wanted !== this.#wanted) this.#wantedSince = this.#parts.clock.monotonic()
    this.#wanted = wanted
    if (this.#isBehind) this.#wake.abort()
  }

  async start(): Promise<void> {
    this.#loop ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Fault('STOPPING'))
    await this.#loop
  }

  /** One store, of whichever node has it. */
  async fromOthers(ref: StoreRef, signal: AbortSignal): Promise<NodeStore> {
    const asked = { known: [], only: [ref.id] }
    const found = this.#reachable.map(async (peer) => {
      const { stores } = await this.#askPeer(peer)(asked, signal)
      const store = stores.find(({ id, version }) => id === ref.id && version >= ref.version)
      if (!store) throw new Fault('STORE_UNKNOWN', { at: `(${ref.name} on ${peer.name})` })
      return store
    })
    return Promise.any(found).catch(() => {
      throw new Fault('STORE_UNKNOWN', { at: `(${ref.name} in version ${ref.version}: no node that is reached has it)` })
    })
  }

  get #reachable(): readonly Peer[] {
    return this.#parts.peers().filter((peer) => peer.online && peer.channelAddress !== null)
  }

  get #isBehind(): boolean {
    const { version } = this.#parts.book
    return this.#wanted !== undefined && (version === null || version < this.#wanted)
  }

  async #run(): Promise<void> {
    const { clock } = this.#parts
    const { signal } = this.#stopping
    while (!signal.aborted) {
      this.#wake = new AbortController()
      const told = this.#told
      this.#told = undefined
      if (told !== undefined || this.#isBehind) await this.#round(told)
      if (this.#told !== undefined) continue
      const pause = this.#isBehind ? this.#backOff.next() : IDLE_MS
      await clock.sleep(pause, AbortSignal.any([signal, this.#wake.signal])).catch(() => undefined)
    }
  }

  /** Asks one after the other until it holds what is wanted. */
  async #round(told: NodeId | undefined): Promise<void> {
    const { book, log, clock } = this.#parts
    const { signal } = this.#stopping
    const before = book.version
    let failed: Fault | undefined
    for (const { name, ask } of this.#sources(told)) {
      try {
        await this.#fetch(ask, signal)
        failed = undefined
        if (!this.#isBehind) break
      } catch (cause) {
        if (signal.aborted) return
        failed = Fault.from(cause)
        log.debug({ of: name, reason: failed.message }, 'stores were not synced from there')
      }
    }
    const late = clock.monotonic() - this.#wantedSince > 2 * PATIENCE_MS
    this.#failing = this.#isBehind && late ? (failed?.message ?? 'nobody has them yet').slice(0, 300) : undefined
    if (!this.#isBehind) this.#backOff.reset()
    if (book.version === before) return
    log.info({ version: book.version }, 'the stores of the gateway are in sync')
    if (this.#dispatcher === this.#parts.self) await this.#tell()
  }

  #sources(told: NodeId | undefined): readonly { readonly name: string; readonly ask: Ask }[] {
    const { service, self, clock } = this.#parts
    const ofService = {
      name: 'service',
      ask: (asked: StoresAsked, signal: AbortSignal) =>
        service.call({ path: SERVICE_PATHS.stores, body: asked, answer: StoresAnswer }, signal),
    }
    const first = this.#reachable.find(({ id }) => id === told)
    const dispatcher = this.#reachable.find(({ id }) => id === this.#dispatcher && id !== self && id !== told)
    const peers = [first, dispatcher].filter((peer) => peer !== undefined)
    const ofPeers = peers.map((peer) => ({ name: peer.name, ask: this.#askPeer(peer) }))
    const patient = ofPeers.length > 0 && clock.monotonic() - this.#wantedSince < PATIENCE_MS
    return patient ? ofPeers : [...ofPeers, ofService]
  }

  #askPeer(peer: Peer): Ask {
    return async (asked, signal) => StoresAnswer.parse(await this.#parts.channel.call(peer, NODE_PATHS.stores, asked, signal))
  }

  async #fetch(ask: Ask, signal: AbortSignal): Promise<void> {
    const { book } = this.#parts
    for (let answers = 0; answers < MOST_ANSWERS; answers += 1) {
      const said = await ask({ known: book.known }, signal)
      // Who knows less than we do has nothing to tell.
      if (said.version === null || said.version < (book.version ?? 0)) return
      await book.take(said)
      if (!said.more) return
    }
  }

  /** Also a node that hears nothing of the service any more gets a new credential so. */
  async #tell(): Promise<void> {
    const { channel, log } = this.#parts
    const until = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(TELL_MS)])
    const tell = async (peer: Peer) => {
      try {
        await channel.call(peer, NODE_PATHS.storesChanged, {}, until)
      } catch (cause) {
        log.debug({ peer: peer.name, reason: Fault.from(cause).message }, 'a node was not told of changed stores')
      }
    }
    // Who is offline to the service may still be there for us.
    await Promise.all(
      this.#parts
        .peers()
        .filter((peer) => peer.channelAddress !== null)
        .map(tell),
    )
  }
}
