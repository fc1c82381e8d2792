import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '@postern/base/clock.ts'
import type { Log } from '@postern/base/log.ts'
import type { Random } from '@postern/base/random.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { GatewayId, NodeId } from '@postern/protocol/ids.ts'
import { HandOverRequest, NODE_PATHS, SERVICE_PATHS } from '@postern/protocol/link.ts'
import { HandOverFacts } from '@postern/protocol/node-api.ts'
import { parseBody } from '../app/parse.ts'
import { answer, type Request, type Route } from '../app/router.ts'
import type { ServiceClient } from '../calls/service-client.ts'
import { type HandOver, isSigned, sealFor } from './hand-over.ts'
import type { KeyKeeper } from './key-keeper.ts'

interface HandOverDoorParts {
  readonly self: { readonly nodeId: NodeId; readonly gatewayId: GatewayId }
  readonly keys: Pick<KeyKeeper, 'holding' | 'hasHeld'>
  readonly service: Pick<ServiceClient, 'call'>
  /** False: nobody gets it by an authentication key, of which the service says which are good. Held keys are none of its word. */
  readonly byAuthKey?: boolean | undefined
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** A challenge is good for so long: one request and its answer. */
const CHALLENGE_MS = 30_000

/**
 * Gives the gateway's key to a node of the gateway that proves two things: who it is, with the key that the service has known it by since its
 * join, and that it may have it. A certificate of the channel proves neither: who holds the service's CA can make one.
 */
export class HandOverDoor {
  readonly #parts: HandOverDoorParts
  readonly #secret: Uint8Array

  constructor(parts: HandOverDoorParts) {
    this.#parts = parts
    this.#secret = parts.random.bytes(32)
  }

  get routes(): Readonly<Record<string, Route>> {
    return {
      [NODE_PATHS.handOverChallenge]: {
        doors: ['channel'],
        handle: async ({ stream, door }) => answer(stream, { challenge: this.#challenge(peerOf(door)) }),
      },
      [NODE_PATHS.handOver]: { doors: ['channel'], handle: (request) => this.#handOver(request) },
    }
  }

  async #handOver({ stream, body, door }: Request): Promise<void> {
    const { self, keys, log } = this.#parts
    const asker = peerOf(door)
    const request = parseBody(HandOverRequest, body)
    const { challenge, ephemeral, wanted } = request
    const about = { gateway: self.gatewayId, asker, holder: self.nodeId, challenge, ephemeral, wanted }
    const key = keys.holding(wanted)
    if (!key) throw new Fault('GATEWAY_KEY_MISSING')
    try {
      await this.#check(about, request)
    } catch (cause) {
      log.warn({ peer: asker, reason: Fault.from(cause).message }, 'a node that asked for the gateway key was refused')
      throw cause
    }
    answer(stream, { sealed: await sealFor(about, request.proof, key.privateKey.reveal()) })
    log.info({ peer: asker, by: request.proof.by }, 'the gateway key was handed over to a node')
  }

  async #check(about: HandOver, request: HandOverRequest): Promise<void> {
    const { keys, service, byAuthKey = true } = this.#parts
    if (request.proof.by === 'auth-key' && !byAuthKey)
      throw refused('this node gives it to none (--no-hand-over): join with --recovery-key')
    if (!this.#isOurs(about.challenge, about.asker)) throw refused('the challenge is not of this node, or too old')
    const facts = await service.call({ method: 'GET', path: SERVICE_PATHS.handOver(about.asker as NodeId), answer: HandOverFacts })
    if (facts.identity === null) throw refused('the service knows no such node of this gateway')
    if (!isSigned(about, request, facts.identity)) throw refused('a signature is wrong')
    const { proof } = request
    if (proof.by === 'auth-key' && !facts.verifiers.includes(proof.verifier)) throw refused('its authentication key is not good any more')
    if (proof.by === 'held-key' && !keys.hasHeld(proof.publicKey)) throw refused('the key that it holds was never this gateway’s')
  }

  #challenge(asker: NodeId): string {
    const at = String(Math.floor(this.#parts.clock.monotonic()))
    return `${at}.${this.#mark(at, asker)}`
  }

  #isOurs(challenge: string, asker: string): boolean {
    const [at = '', mark = ''] = challenge.split('.')
    const [given, expected] = [Buffer.from(mark), Buffer.from(this.#mark(at, asker))]
    const age = this.#parts.clock.monotonic() - Number(at)
    return given.length === expected.length && timingSafeEqual(given, expected) && age < CHALLENGE_MS
  }

  #mark(at: string, asker: string): string {
    return createHmac('sha256', this.#secret).update(`${at} ${asker}`).digest('base64url')
  }
}

const refused = (why: string) => new Fault('HAND_OVER_REFUSED', { at: `(${why})` })

function peerOf(door: Request['door']): NodeId {
  if (door.is !== 'channel') throw new Fault('ROUTE_UNKNOWN')
  return door.peer
}
