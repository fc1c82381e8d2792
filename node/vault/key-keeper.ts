import type { Log } from '@postern/base/log.ts'
import { GatewayKeyAnswer, NODE_PATHS, SERVICE_PATHS } from '@postern/protocol/link.ts'
import { OfferGatewayKeyResponse, type Peer } from '@postern/protocol/node-api.ts'
import type { ServiceClient } from '../calls/service-client.ts'
import { fingerprintOf, type GatewayKey, gatewayKeyFrom, makeGatewayKey } from './gateway-key.ts'
import type { VaultFiles } from './vault-file.ts'

/** What the keeper needs of the channel. */
export interface PeerCaller {
  call(peer: Peer, path: string, body: unknown, signal: AbortSignal): Promise<unknown>
}

interface KeyKeeperParts {
  readonly files: VaultFiles
  readonly service: ServiceClient
  readonly log: Log
}

const KEY = 'gateway-key'
/** A pair that was offered, and of which this node does not know yet whether it won: kept, or a won key could be lost. */
const CANDIDATE = 'gateway-key.candidate'

/**
 * The gateway's key on this node:
 *
 *   none ── the gateway has none ──► candidate (on disk) ── offered, won ──► held
 *     ▲                                  └── another won ──► none
 *     └── the gateway has one: a peer that holds it gives it over the channel ──► held
 */
export class KeyKeeper {
  readonly #parts: KeyKeeperParts
  #key: GatewayKey | undefined
  /** What the service last called the gateway's public key. */
  #known: string | null = null

  constructor(parts: KeyKeeperParts) {
    this.#parts = parts
  }

  get key(): GatewayKey | undefined {
    return this.#key
  }

  /** Whether it is, as far as this node knows, the gateway's key of today. */
  get ready(): boolean {
    return this.#key !== undefined && (this.#known === null || this.#known === this.#key.publicKey)
  }

  async load(): Promise<void> {
    this.#key = await this.#read(KEY)
  }

  /** Does what is left to do, given what the service and the peers say. Called again until the key is there. */
  async reconcile(gatewayPublicKey: string | null, holders: readonly Peer[], channel: PeerCaller, signal: AbortSignal): Promise<void> {
    this.#known = gatewayPublicKey
    if (this.#key && (gatewayPublicKey === null || this.#key.publicKey === gatewayPublicKey)) {
      if (gatewayPublicKey === null) await this.#offer(this.#key, signal)
      return
    }
    if (gatewayPublicKey === null) return this.offer(signal).then(() => undefined)
    const candidate = await this.#read(CANDIDATE)
    if (candidate?.publicKey === gatewayPublicKey) return this.#hold(candidate)
    for (const peer of holders) {
      const key = await this.#ask(peer, gatewayPublicKey, channel, signal)
      if (key) return this.#hold(key)
    }
  }

  /** Makes the gateway's key if nobody has; says which public key the gateway has now. */
  async offer(signal?: AbortSignal): Promise<string> {
    const pending = await this.#read(CANDIDATE)
    const candidate = this.#key ?? pending ?? makeGatewayKey()
    if (candidate !== this.#key && candidate !== pending) await this.#write(CANDIDATE, candidate)
    const publicKey = await this.#offer(candidate, signal)
    if (publicKey === candidate.publicKey) await this.#hold(candidate)
    else await this.#parts.files.remove(CANDIDATE)
    return publicKey
  }

  async #offer(key: GatewayKey, signal?: AbortSignal): Promise<string> {
    const body = { publicKey: key.publicKey }
    const answer = await this.#parts.service.call({ path: SERVICE_PATHS.gatewayKey, body, answer: OfferGatewayKeyResponse }, signal)
    return answer.publicKey
  }

  async #ask(peer: Peer, expected: string, channel: PeerCaller, signal: AbortSignal): Promise<GatewayKey | undefined> {
    const { log } = this.#parts
    try {
      const answer = GatewayKeyAnswer.parse(await channel.call(peer, NODE_PATHS.gatewayKey, {}, signal))
      const key = gatewayKeyFrom(answer.privateKey)
      if (key?.publicKey === expected) return key
      log.warn({ peer: peer.name }, 'a node sent a gateway key that is not the gateway’s')
    } catch (cause) {
      log.debug({ peer: peer.name, err: cause }, 'no gateway key from this node')
    }
    return undefined
  }

  async #hold(key: GatewayKey): Promise<void> {
    await this.#write(KEY, key)
    this.#key = key
    await this.#parts.files.remove(CANDIDATE)
    this.#parts.log.info({ fingerprint: fingerprintOf(key.publicKey) }, 'this node holds the gateway key')
  }

  async #write(name: string, key: GatewayKey): Promise<void> {
    await this.#parts.files.write(name, key.privateKey.reveal())
  }

  async #read(name: string): Promise<GatewayKey | undefined> {
    const text = await this.#parts.files.read(name)
    return text === undefined ? undefined : gatewayKeyFrom(text)
  }
}
