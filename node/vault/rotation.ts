import { createHmac } from 'node:crypto'
import type { Clock } from '@postern/base/clock.ts'
import type { Log } from '@postern/base/log.ts'
import { audienceOf } from '@postern/connectors/contract.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { GatewayId, NodeId, StoreId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { NODE_PATHS, PrepareKey, type RotateAnswer, RotateOrder, SERVICE_PATHS } from '@postern/protocol/link.ts'
import { type NodeStore, type Peer, RotationFacts, type RotationSwitch, RotationSwitched } from '@postern/protocol/node-api.ts'
import { ROTATION_INFO, rotationText } from '@postern/protocol/rotation.ts'
import { parseBody } from '../app/parse.ts'
import { answer, type Request, type Route } from '../app/router.ts'
import type { ServiceClient } from '../calls/service-client.ts'
import { connectorOf } from '../stores/store-credentials.ts'
import { fingerprintOf, type GatewayKey, makeGatewayKey } from './gateway-key.ts'
import { hpkeOpen } from './hpke.ts'
import type { KeyChange, KeyKeeper, PeerCaller } from './key-keeper.ts'
import { sealAnew } from './open.ts'
import { isStamped, sealRecovery } from './recovery-key.ts'

interface KeyRotationParts {
  readonly self: { readonly nodeId: NodeId; readonly gatewayId: GatewayId }
  readonly keys: KeyKeeper
  readonly service: Pick<ServiceClient, 'call'>
  readonly channel: PeerCaller
  readonly peers: () => readonly Peer[]
  readonly clock: Clock
  readonly log: Log
}

/** Longer than sealing ten thousand credentials takes. A rotation that was not switched by then changes nothing. */
const ROTATE_MS = 300_000
const PREPARE_MS = 15_000
const RETRY_MS = 500
/** Within so long nodes hear in a beat of another that the service knows to be there. */
const HEARD_MS = 3 * LIMITS.beatMs
/** Somebody saves a credential while all are sealed anew: it is read again. So often in a row is not by chance. */
const ROUNDS = 10
const CALL_MS = 60_000

type Resealed = RotationSwitch['stores'][number]

/**
 * Rotates the gateway's key, in an order in which the node may die between any two steps:
 *
 *   1 a new pair, on this node's disk      nobody uses it
 *   2 on the disk of each node that is online; all open with both
 *   3 every credential sealed anew, here   the service knows nothing of it
 *   4 one transaction of the service       from here on the new one is the gateway's; nodes that hear of it have it already
 */
export class KeyRotation {
  readonly #parts: KeyRotationParts
  #running = false

  constructor(parts: KeyRotationParts) {
    this.#parts = parts
  }

  get routes(): Readonly<Record<string, Route>> {
    return {
      [NODE_PATHS.rotateKey]: { doors: ['link'], handle: (request) => this.#order(request) },
      [NODE_PATHS.prepareKey]: { doors: ['channel'], handle: (request) => this.#prepare(request) },
    }
  }

  async #order({ stream, body }: Request): Promise<void> {
    const { challenge, online } = parseBody(RotateOrder, body)
    if (this.#running) throw new Fault('ROTATION_REFUSED', { at: '(it is being rotated already)' })
    this.#running = true
    try {
      const proof = await this.#prover(challenge)
      const rotated = await this.#rotate(online ?? [], AbortSignal.timeout(ROTATE_MS))
      const said: RotateAnswer = { ...rotated, ...(proof ? { proof: proof(rotated.publicKey) } : {}) }
      answer(stream, said)
    } finally {
      this.#running = false
    }
  }

  async #prepare({ stream, body, door }: Request): Promise<void> {
    const change = parseBody(PrepareKey, body)
    const { keys, channel, peers } = this.#parts
    const asking = door.is === 'channel' ? peers().find(({ id }) => id === door.peer) : undefined
    if (!asking) throw new Fault('NODE_UNKNOWN', { remedy: 'None: this node has not heard of the other yet.' })
    await keys.prepareFrom(asking, change, channel, AbortSignal.timeout(PREPARE_MS))
    answer(stream)
  }

  /** The nonce is opened before anything else: with the key that is about to go. */
  async #prover(challenge: string | undefined): Promise<((publicKey: string) => string) | undefined> {
    const { keys, self } = this.#parts
    if (challenge === undefined || !keys.key) return undefined
    const nonce = await hpkeOpen(keys.key, ROTATION_INFO, new TextEncoder().encode(self.gatewayId), challenge).catch(() => undefined)
    if (!nonce) return undefined
    return (publicKey) => createHmac('sha256', nonce).update(rotationText(self.gatewayId, publicKey)).digest('base64url')
  }

  async #rotate(there: readonly NodeId[], signal: AbortSignal): Promise<Omit<RotateAnswer, 'proof'>> {
    const { keys, log } = this.#parts
    const { key } = keys
    if (!key || !keys.ready) throw new Fault('GATEWAY_KEY_MISSING')
    log.info({ fingerprint: fingerprintOf(key.publicKey) }, 'the key of the gateway is being rotated')
    const next = makeGatewayKey()
    await keys.prepare(next)
    await this.#prepareOthers(there, { from: key.publicKey, wanted: next.publicKey }, signal)
    log.info({ fingerprint: fingerprintOf(next.publicKey) }, 'the nodes that are there hold the next key of the gateway')
    const sealed = new Map<StoreId, Resealed>()
    const unreadable = new Set<string>()
    for (let round = 0; round < ROUNDS; round += 1) {
      const facts = await this.#facts(signal)
      if (facts.publicKey !== key.publicKey) throw new Fault('GATEWAY_KEY_ROTATED')
      for (const store of facts.stores) {
        signal.throwIfAborted()
        if (sealed.get(store.id)?.version !== store.version) sealed.set(store.id, await this.#reseal(store, key, next, unreadable))
      }
      if (!(await this.#switch(key, next, facts, sealed, signal))) continue
      await keys.hold(next)
      return { publicKey: next.publicKey, resealed: facts.stores.length - unreadable.size, unreadable: [...unreadable] }
    }
    throw new Fault('ROTATION_REFUSED', { at: '(credentials were saved all the time)', remedy: 'Try again when nobody saves credentials.' })
  }

  async #prepareOthers(there: readonly NodeId[], change: KeyChange, signal: AbortSignal): Promise<void> {
    const heard = this.#parts.peers().filter((peer) => peer.online)
    const ids = new Set([...heard.map(({ id }) => id), ...there])
    await Promise.all([...ids].map((id) => this.#prepareOther(id, change, signal)))
  }

  /**
   * Who has just started is not known here yet, or at an address that the others hear of with their next beat: so it is tried for a while.
   * One that does not come gets the new key when it comes back, and one that waits for its first key gets the new one as its first.
   */
  async #prepareOther(id: NodeId, change: KeyChange, signal: AbortSignal): Promise<void> {
    const { peers, channel, clock } = this.#parts
    const began = clock.monotonic()
    for (;;) {
      const waited = () => clock.monotonic() - began
      const peer = peers().find((one) => one.id === id)
      if (!peer?.online && waited() >= HEARD_MS) return
      try {
        if (peer?.online) return void (await channel.call(peer, NODE_PATHS.prepareKey, change, signal))
      } catch (cause) {
        if (!peer?.hasGatewayKey && waited() >= HEARD_MS) return
        if (waited() >= PREPARE_MS || signal.aborted)
          throw new Fault('ROTATION_REFUSED', {
            at: `(${peer?.name ?? id} could not take the new key: ${Fault.from(cause).message})`,
            cause,
          })
      }
      await clock.sleep(RETRY_MS, signal)
    }
  }

  #facts(signal: AbortSignal): Promise<RotationFacts> {
    const { service } = this.#parts
    return service.call({ method: 'GET', path: SERVICE_PATHS.rotation, answer: RotationFacts, timeoutMs: CALL_MS }, signal)
  }

  /** One that nobody can open, of an earlier life of the gateway, stays as it is. */
  async #reseal(store: NodeStore, key: GatewayKey, next: GatewayKey, unreadable: Set<string>): Promise<Resealed> {
    const { id, version, gatewayId, kind, settings, name } = store
    const before = store.sealed ?? ''
    try {
      const audience = audienceOf(await connectorOf(kind), settings)
      const sealed = await sealAnew(before, key, next.publicKey, { gatewayId, kind, audience })
      unreadable.delete(name)
      return { id, version, sealed }
    } catch (cause) {
      if (Fault.from(cause).code !== 'CREDENTIAL_UNREADABLE') throw cause
      unreadable.add(name)
      return { id, version, sealed: before }
    }
  }

  async #switch(key: GatewayKey, next: GatewayKey, facts: RotationFacts, sealed: ReadonlyMap<StoreId, Resealed>, signal: AbortSignal) {
    const { service, self, log } = this.#parts
    const known = facts.recovery && isStamped(facts.recovery, key, self.gatewayId) ? facts.recovery : null
    if (facts.recovery && !known) log.warn('the recovery key that the service names was not made by a node of this gateway: it is dropped')
    const body: RotationSwitch = {
      from: key.publicKey,
      to: next.publicKey,
      stores: facts.stores.map(({ id }) => sealed.get(id)).filter((one) => one !== undefined),
      recovery: known && (await sealRecovery(next, self.gatewayId, known.recoveryKey)),
    }
    try {
      const call = { path: SERVICE_PATHS.rotation, body, answer: RotationSwitched, timeoutMs: CALL_MS }
      return (await service.call(call, signal)).switched
    } catch (cause) {
      // The answer may have been lost on its way, the switch not.
      if (Fault.from(cause).canPass && (await this.#facts(signal)).publicKey === next.publicKey) return true
      throw cause
    }
  }
}
