/** Who a node is: a JWT over method, path and body, signed with the Ed25519 key that it joined with. */
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Clock } from '@postern/base/clock.ts'
import { networkOf } from '@postern/base/network-of.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { NodeId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { NODE_AUTH_SCHEME } from '@postern/protocol/link.ts'
import { type CryptoKey, decodeJwt, importJWK, jwtVerify } from 'jose'
import { AddressThrottle } from '../http/address-throttle.ts'
import { checkWait } from '../http/check-wait.ts'
import type { NodeProof } from '../http/needs.ts'
import type { NodeDirectory } from './node-directory.ts'

/** In a minute from one network. A fleet that was deleted, or a database of yesterday, names that many at once, and is told to wait. */
const UNKNOWN_NODES = 600
const EMPTY_HASH = hashOf(new Uint8Array())

export interface NodeProofsParts {
  readonly nodes: Pick<NodeDirectory, 'get' | 'refresh'>
  readonly wasDeleted: (id: NodeId) => Promise<boolean>
  readonly clock: Clock
}

export class NodeProofs {
  readonly #parts: NodeProofsParts
  readonly #keys = new Map<string, Promise<CryptoKey>>()
  /** Whoever names a node that there is not costs the database two questions, before anything is proved. */
  readonly #throttle: AddressThrottle

  constructor(parts: NodeProofsParts) {
    this.#parts = parts
    this.#throttle = new AddressThrottle(parts.clock, UNKNOWN_NODES)
  }

  /** For requests of nodes, before their body is read. */
  async verify(authorization: string | undefined, method: string, path: string, address = ''): Promise<NodeProof> {
    const [scheme, token] = (authorization ?? '').split(' ', 2)
    if (scheme !== NODE_AUTH_SCHEME || !token)
      throw new Fault('NODE_PROOF_INVALID', { at: `Authorization must be "${NODE_AUTH_SCHEME} ...".` })
    const node = await this.#node(token, address)
    const claims = await this.#claims(token, node.identity)
    const age = this.#parts.clock.now() - (typeof claims['iat'] === 'number' ? claims['iat'] * 1_000 : 0)
    // `iat` has whole seconds: a fresh one may seem to lie up to a second back.
    if (Math.abs(age) > LIMITS.proofAgeMs + 1_000)
      throw new Fault('NODE_PROOF_INVALID', { at: `It was made ${Math.round(Math.abs(age) / 1_000)} s ${age > 0 ? 'ago' : 'from now'}.` })
    if (claims['htm'] !== method || claims['htu'] !== path.split('?')[0])
      throw new Fault('NODE_PROOF_INVALID', { at: 'It is for another request.' })
    const signed = claims['bh']
    return {
      nodeId: node.id,
      checkBody: (bytes) => {
        const hash = bytes.length === 0 ? EMPTY_HASH : hashOf(bytes)
        if (signed !== hash) throw new Fault('NODE_PROOF_INVALID', { at: 'The body is not the one that was signed.' })
      },
    }
  }

  /** For the upgrade to a link, which has no body. */
  async verifyUpgrade(request: IncomingMessage): Promise<{ readonly nodeId: NodeId }> {
    const proof = await this.verify(request.headers.authorization, request.method ?? 'GET', request.url ?? '')
    proof.checkBody(new Uint8Array())
    return { nodeId: proof.nodeId }
  }

  async #node(token: string, address: string): Promise<{ readonly id: NodeId; readonly identity: string }> {
    const { nodes } = this.#parts
    const id = NodeId.safeParse(issuerOf(token))
    if (!id.success) throw new Fault('NODE_PROOF_INVALID', { at: 'It names no node.' })
    const known = nodes.get(id.data)
    if (known) return known
    const network = networkOf(address)
    checkWait(this.#throttle.waitSeconds(network))
    const found = await this.#ask(id.data)
    if (!(found instanceof Fault)) return found
    this.#throttle.wrong(network)
    throw found
  }

  async #ask(id: NodeId): Promise<{ readonly id: NodeId; readonly identity: string } | Fault> {
    const { nodes, wasDeleted } = this.#parts
    if (await wasDeleted(id)) return new Fault('NODE_DELETED')
    // It may have joined at another replica a moment ago.
    await nodes.refresh()
    return nodes.get(id) ?? new Fault('NODE_UNKNOWN', { at: id, remedy: 'Join the node again with an authentication key.' })
  }

  async #claims(token: string, identity: string): Promise<Readonly<Record<string, unknown>>> {
    try {
      const { payload } = await jwtVerify(token, await this.#key(identity), {
        algorithms: ['EdDSA', 'Ed25519'],
        // Age is checked against our own clock part, with a wider tolerance.
        currentDate: new Date(0),
        clockTolerance: Number.MAX_SAFE_INTEGER,
      })
      return payload
    } catch (cause) {
      throw new Fault('NODE_PROOF_INVALID', { at: 'The signature is not of this node.', cause })
    }
  }

  #key(identity: string): Promise<CryptoKey> {
    const known = this.#keys.get(identity)
    if (known) return known
    if (this.#keys.size >= 10_000) this.#keys.clear()
    const key = importJWK({ kty: 'OKP', crv: 'Ed25519', x: identity }, 'EdDSA') as Promise<CryptoKey>
    key.catch(() => this.#keys.delete(identity))
    this.#keys.set(identity, key)
    return key
  }
}

function issuerOf(token: string): unknown {
  try {
    return decodeJwt(token).iss
  } catch {
    return undefined
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url')
}
