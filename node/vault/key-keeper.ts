import type { Clock } from '@postern/base/clock.ts'
import type { Log } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { GatewayId, NodeId } from '@postern/protocol/ids.ts'
import { HandOverAnswer, HandOverChallenge, NODE_PATHS, SERVICE_PATHS } from '@postern/protocol/link.ts'
import { OfferGatewayKeyResponse, type Peer } from '@postern/protocol/node-api.ts'
import type { ServiceClient } from '../calls/service-client.ts'
import type { Identity } from '../identity/identity.ts'
import { fingerprintOf, type GatewayKey, gatewayKeyFrom, makeGatewayKey } from './gateway-key.ts'
import { type Claim, openFor, requestFor } from './hand-over.ts'
import { KeyShelf } from './key-shelf.ts'
import type { VaultFiles } from './vault-file.ts'

/** What the keeper needs of the channel. */
export interface PeerCaller {
  call(peer: Peer, path: string, body: unknown, signal: AbortSignal): Promise<unknown>
}

/** Public halves, of today's and of the one to come. */
export interface KeyChange {
  readonly from: string
  readonly wanted: string
}

interface KeyKeeperParts {
  readonly files: VaultFiles
  readonly service: Pick<ServiceClient, 'call'>
  readonly self: { readonly nodeId: NodeId; readonly gatewayId: GatewayId; readonly identity: Pick<Identity, 'sign'> }
  readonly clock: Clock
  readonly log: Log
}

/** A node that refused is not asked again at once: nothing changes by itself. */
const REFUSED_MS = 10_000
/** The old key of a rotation is kept for so long at least: answers that were on their way when it was replaced have come by then. */
const RETIRE_MS = 60_000
/** A rotation that was not taken over by the service for so long never will be. */
const NEXT_MS = 600_000

/**
 * The gateway's key on this node:
 *
 *   none ── the gateway has none ──► candidate (on disk) ── offered, won ──► held
 *     ▲                                  └── another won ──► none
 *     └── the gateway has one: a peer that holds it hands it over ──► held
 *
 *   held ── a rotation was prepared ──► held, next ── the service says the next ──► held (next), previous ── all have it ──► held
 */
export class KeyKeeper {
  readonly #parts: KeyKeeperParts
  readonly #shelf: KeyShelf
  readonly #refused = new Map<NodeId, number>()
  /** What the service last called the gateway's public key. */
  #known: string | null = null
  #why: string | undefined

  constructor(parts: KeyKeeperParts) {
    this.#parts = parts
    this.#shelf = new KeyShelf(parts)
  }

  get key(): GatewayKey | undefined {
    return this.#shelf.key
  }

  /** Whether this node can open, as far as it knows, what is sealed to the gateway's key of today. */
  get ready(): boolean {
    return this.key !== undefined && (this.#known === null || this.holding(this.#known) !== undefined)
  }

  /** Why it has no key, where a peer that has one said so. */
  get waitsBecause(): string | undefined {
    return this.ready ? undefined : this.#why
  }

  holding(publicKey: string): GatewayKey | undefined {
    return this.#shelf.holding(publicKey)
  }

  hasHeld(publicKey: string): boolean {
    return this.#shelf.hasHeld(publicKey)
  }

  async load(): Promise<void> {
    await this.#shelf.load()
  }

  /** From an authentication key, at the join: with it the node asks its peers. */
  async joinedWith(handOverSeed: string): Promise<void> {
    await this.#shelf.keepSeed(handOverSeed)
  }

  /** Does what is left to do, given what the service and the peers say. Called with each beat. */
  async reconcile(gatewayPublicKey: string | null, peers: readonly Peer[], channel: PeerCaller, signal: AbortSignal): Promise<void> {
    this.#known = gatewayPublicKey
    const current = this.#shelf.get('current')
    if (gatewayPublicKey === null) return current ? this.#offer(current, signal).then(() => undefined) : void (await this.offer(signal))
    if (current?.publicKey === gatewayPublicKey) return this.#retire(peers)
    // By a rotation, by a database that was restored from before one, or by an offer whose answer was lost.
    const candidate = this.#shelf.get('candidate')
    const here = this.holding(gatewayPublicKey) ?? (candidate?.publicKey === gatewayPublicKey ? candidate : undefined)
    if (here) return this.hold(here)
    for (const peer of peers.filter((one) => one.hasGatewayKey && one.online && one.channelAddress !== null)) {
      if (this.#parts.clock.monotonic() < (this.#refused.get(peer.id) ?? 0)) continue
      const key = await this.#ask(peer, gatewayPublicKey, channel, signal)
      if (key) return this.hold(key)
    }
  }

  /** Makes the gateway's key if nobody has; says which public key the gateway has now. */
  async offer(signal?: AbortSignal): Promise<string> {
    const current = this.#shelf.get('current')
    const pending = this.#shelf.get('candidate')
    const candidate = current ?? pending ?? makeGatewayKey()
    if (!current && !pending) await this.#shelf.put('candidate', candidate)
    const publicKey = await this.#offer(candidate, signal)
    if (publicKey === candidate.publicKey) await this.hold(candidate)
    else await this.#shelf.drop('candidate')
    return publicKey
  }

  async hold(key: GatewayKey): Promise<void> {
    await this.#shelf.hold(key)
    this.#why = undefined
    this.#parts.log.info({ fingerprint: fingerprintOf(key.publicKey) }, 'this node holds the gateway key')
  }

  /** For a rotation: on the disk when this returns, and used for what is sealed to it. */
  async prepare(next: GatewayKey): Promise<void> {
    await this.#shelf.put('next', next)
  }

  /** A peer that rotates the key says so: the new one is asked of it, with the one that both hold. */
  async prepareFrom(peer: Peer, { from, wanted }: KeyChange, channel: PeerCaller, signal: AbortSignal): Promise<void> {
    if (this.holding(wanted)) return
    // Of a rotation just before, of which no beat has told yet: its key must not be lost to the next.
    const today = this.holding(from)
    if (!today) throw new Fault('HAND_OVER_REFUSED', { at: '(it does not have the key of today yet)' })
    if (this.#shelf.get('current')?.publicKey !== from) await this.hold(today)
    const key = await this.#ask(peer, wanted, channel, signal)
    if (!key) throw new Fault('HAND_OVER_REFUSED', { at: `(${this.#why ?? 'no answer'})` })
    await this.prepare(key)
  }

  async #offer(key: GatewayKey, signal?: AbortSignal): Promise<string> {
    const body = { publicKey: key.publicKey }
    const answer = await this.#parts.service.call({ path: SERVICE_PATHS.gatewayKey, body, answer: OfferGatewayKeyResponse }, signal)
    return answer.publicKey
  }

  /** What is left of a rotation goes when nobody needs it any more. */
  async #retire(peers: readonly Peer[]): Promise<void> {
    const { log } = this.#parts
    await this.#shelf.forgetSeed()
    if (this.#shelf.get('next') && this.#shelf.ageMs('next') > NEXT_MS) await this.#shelf.drop('next')
    if (!this.#shelf.get('previous') || this.#shelf.ageMs('current') < RETIRE_MS) return
    if (peers.some((peer) => peer.online && !peer.hasGatewayKey)) return
    await this.#shelf.drop('previous')
    log.info('the old key of the gateway is gone from this node')
  }

  async #ask(peer: Peer, wanted: string, channel: PeerCaller, signal: AbortSignal): Promise<GatewayKey | undefined> {
    const { log, clock } = this.#parts
    for (const claim of this.#claims(wanted)) {
      try {
        const key = await this.#askWith(claim, peer, wanted, channel, signal)
        if (key?.publicKey === wanted) return key
        log.warn({ peer: peer.name }, 'a node sent a gateway key that is not the gateway’s')
      } catch (cause) {
        const fault = Fault.from(cause)
        if (fault.code !== 'HAND_OVER_REFUSED') {
          log.debug({ peer: peer.name, err: cause }, 'no gateway key from this node')
          return undefined
        }
        if (this.#why !== fault.message) log.warn({ peer: peer.name, reason: fault.message }, 'a node refuses to hand over the gateway key')
        this.#why = fault.message
      }
    }
    this.#refused.set(peer.id, clock.monotonic() + REFUSED_MS)
    return undefined
  }

  /** The authentication key of a join first; then what it holds. */
  #claims(wanted: string): readonly Claim[] {
    const { seed } = this.#shelf
    const held = [this.#shelf.get('current'), this.#shelf.get('previous')].filter((key) => key !== undefined && key.publicKey !== wanted)
    const claims: readonly Claim[] = held.filter((key) => key !== undefined).map((key) => ({ by: 'held-key', key }))
    return seed === undefined ? claims : [{ by: 'auth-key', seed }, ...claims]
  }

  async #askWith(claim: Claim, peer: Peer, wanted: string, channel: PeerCaller, signal: AbortSignal): Promise<GatewayKey | undefined> {
    const { nodeId, gatewayId, identity } = this.#parts.self
    const { challenge } = HandOverChallenge.parse(await channel.call(peer, NODE_PATHS.handOverChallenge, {}, signal))
    const ephemeral = makeGatewayKey()
    const about = { gateway: gatewayId, asker: nodeId, holder: peer.id, challenge, ephemeral: ephemeral.publicKey, wanted }
    const request = requestFor(about, claim, identity)
    const { sealed } = HandOverAnswer.parse(await channel.call(peer, NODE_PATHS.handOver, request, signal))
    return gatewayKeyFrom(await openFor(about, claim, ephemeral, sealed))
  }
}
