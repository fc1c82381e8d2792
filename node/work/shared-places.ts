import type { Clock } from '@postern/base/clock.ts'
import type { Log } from '@postern/base/log.ts'
import type { LocalPlace, Session } from '@postern/connectors/contract.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { NODE_PATHS } from '@postern/protocol/link.ts'
import { type Peer, PlaceOrder, PlaceSeen, type StoreRef } from '@postern/protocol/node-api.ts'
import type { TaskOrder } from '@postern/protocol/task-api.ts'
import { parseBody } from '../app/parse.ts'
import { answer, type Route } from '../app/router.ts'
import type { ChannelClient } from '../channel/channel-client.ts'

interface SharedPlacesParts {
  readonly stores: { open(ref: StoreRef, signal: AbortSignal): Promise<{ readonly session: Session }> }
  readonly channel: Pick<ChannelClient, 'call'>
  /** The other nodes of the gateway. */
  readonly peers: () => readonly Peer[]
  readonly clock: Clock
  readonly log: Log
}

/** What was found the same is not looked at again for so long. */
const KNOWN_MS = 60_000
const ASK_MS = 5_000
const AGAIN_MS = 300
const MOST_KNOWN = 10_000

/**
 * Whether a folder or "localhost" is the same place on every node of the gateway. A copy is spread over them: each would read or
 * write another place, and some rows would be nowhere. One node leaves a mark there, the others say whether they see it.
 */
export class SharedPlaces {
  readonly #parts: SharedPlacesParts
  readonly #known = new Map<string, number>()

  constructor(parts: SharedPlacesParts) {
    this.#parts = parts
  }

  get routes(): Readonly<Record<string, Route>> {
    return {
      [NODE_PATHS.place]: {
        doors: ['channel'],
        handle: async ({ stream, body }) => answer(stream, { seen: await this.#sees(parseBody(PlaceOrder, body)) }),
      },
    }
  }

  /** Before a copy is planned. A copy that is pinned to a node may use what only that node sees. */
  async check(order: TaskOrder, signal: AbortSignal): Promise<void> {
    if (order.kind !== 'plan' || order.node) return
    const peers = this.#parts.peers().filter((peer) => peer.online && peer.acceptsWork)
    if (peers.length === 0) return
    const stores = [order.source, order.sink, order.rejects].filter((ref) => ref !== undefined && !('remote' in ref && ref.remote))
    const refs = new Map(stores.flatMap((ref) => (ref ? [[ref.id, ref] as const] : [])))
    await Promise.all([...refs.values()].map((ref) => this.#checkStore(ref, peers, signal)))
  }

  async #checkStore(ref: StoreRef, peers: readonly Peer[], signal: AbortSignal): Promise<void> {
    const { clock, stores } = this.#parts
    const keyOf = (peer: Peer) => `${ref.id} ${ref.version} ${peer.id}`
    const asked = peers.filter((peer) => (this.#known.get(keyOf(peer)) ?? Number.NEGATIVE_INFINITY) < clock.monotonic() - KNOWN_MS)
    if (asked.length === 0) return
    const place = (await stores.open(ref, signal)).session.local
    if (!place) return
    await using mark = await place.mark(signal)
    const seen = await Promise.all(asked.map(async (peer) => ({ peer, seen: await this.#ask(peer, ref, mark.text, signal) })))
    const blind = seen.filter((one) => one.seen === false).map(({ peer }) => peer.name)
    if (blind.length > 0) throw notShared(ref, place, blind)
    if (this.#known.size > MOST_KNOWN) this.#known.clear()
    for (const one of seen) if (one.seen) this.#known.set(keyOf(one.peer), clock.monotonic())
  }

  /** Undefined when that node does not answer, also not when it is asked again: it may be away by the time the parts are handed out. */
  async #ask(peer: Peer, store: StoreRef, mark: string, signal: AbortSignal): Promise<boolean | undefined> {
    const { channel, clock, log } = this.#parts
    const until = AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)])
    const { id, name, version } = store
    for (;;) {
      try {
        const said = await channel.call(peer, NODE_PATHS.place, { store: { id, name, version }, mark }, until)
        return PlaceSeen.parse(said).seen
      } catch (cause) {
        signal.throwIfAborted()
        log.debug({ err: cause, peer: peer.name, store: name }, 'a node did not say whether it sees the same place')
        // A store that is new, or a connection that broke: a moment later it can answer.
        if (until.aborted || !(await waited(clock, until))) return undefined
      }
    }
  }

  /** What cannot be opened here, though it can be there, is not the same. */
  async #sees({ store, mark }: PlaceOrder): Promise<boolean> {
    const signal = AbortSignal.timeout(ASK_MS)
    try {
      const place = (await this.#parts.stores.open(store, signal)).session.local
      return place ? await place.sees(mark, signal) : true
    } catch (cause) {
      const fault = Fault.from(cause)
      if (fault.code === 'FILE_MISSING' || fault.code === 'STORE_UNREACHABLE' || fault.code === 'STORE_DENIED') return false
      throw fault
    }
  }
}

/** False when the time is up. */
async function waited(clock: Clock, until: AbortSignal): Promise<boolean> {
  await clock.sleep(AGAIN_MS, until).catch(() => undefined)
  return !until.aborted
}

function notShared(ref: StoreRef, place: LocalPlace, blind: readonly string[]): Fault {
  return new Fault('PLACE_NOT_SHARED', {
    at: `${place.title} of store ${ref.name} is another place on ${blind.join(', ')}, or not there.`,
  })
}
