/** What the hand-over of the gateway's key is made of (docs/adr/0016). Pure but for randomness. */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { type HandOverRequest, handOverText } from '@postern/protocol/link.ts'
import type { GatewayKey } from './gateway-key.ts'
import { hpkeOpen, hpkeSeal } from './hpke.ts'

const INFO = 'postern/hand-over/v1'
const INNER = 'postern/hand-over/held/v1'

/** Who asks whom in which gateway, and for what. */
export interface HandOver {
  readonly gateway: string
  readonly asker: string
  readonly holder: string
  readonly challenge: string
  readonly ephemeral: string
  readonly wanted: string
}

/** By what the asker may have the key: an authentication key's seed, or a key of the gateway that it holds. */
export type Claim = { readonly by: 'auth-key'; readonly seed: string } | { readonly by: 'held-key'; readonly key: GatewayKey }

type Proof = HandOverRequest['proof']

export function requestFor(about: HandOver, claim: Claim, identity: { sign(text: string): string }): HandOverRequest {
  const key = claim.by === 'auth-key' ? seedKey(claim.seed) : undefined
  const name = key ? rawPublic(key) : claim.by === 'held-key' ? claim.key.publicKey : ''
  const text = handOverText({ ...about, proof: `${claim.by}:${name}` })
  const proof: Proof = key
    ? { by: 'auth-key', verifier: name, signature: sign(null, Buffer.from(text), key).toString('base64url') }
    : { by: 'held-key', publicKey: name }
  const { challenge, ephemeral, wanted } = about
  return { challenge, ephemeral, wanted, identitySignature: identity.sign(text), proof }
}

/** Whether the asker is who it says, and an authentication key's holder where it says so. What the names in it are worth is for the caller to say. */
export function isSigned(about: HandOver, { identitySignature, proof }: HandOverRequest, identity: string): boolean {
  const name = proof.by === 'auth-key' ? proof.verifier : proof.publicKey
  const text = Buffer.from(handOverText({ ...about, proof: `${proof.by}:${name}` }))
  if (!holds(identity, text, identitySignature)) return false
  return proof.by === 'held-key' || holds(proof.verifier, text, proof.signature)
}

/** For the eyes of the asker; with `held-key` only where it has that key. */
export async function sealFor(about: HandOver, proof: Proof, privateKey: string): Promise<string> {
  const bound = boundTo(about)
  const plain = new TextEncoder().encode(privateKey)
  const inner = proof.by === 'held-key' ? new TextEncoder().encode(await hpkeSeal(proof.publicKey, INNER, bound, plain)) : plain
  return await hpkeSeal(about.ephemeral, INFO, bound, inner)
}

/** The private key, base64url. Throws when the answer is not for this request. */
export async function openFor(about: HandOver, claim: Claim, ephemeral: GatewayKey, sealed: string): Promise<string> {
  const bound = boundTo(about)
  const inner = new TextDecoder().decode(await hpkeOpen(ephemeral, INFO, bound, sealed))
  if (claim.by === 'auth-key') return inner
  return new TextDecoder().decode(await hpkeOpen(claim.key, INNER, bound, inner))
}

const boundTo = (about: HandOver) => new TextEncoder().encode(handOverText({ ...about, proof: '' }))

function holds(publicKey: string, text: Buffer, signature: string): boolean {
  try {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' })
    return verify(null, text, key, Buffer.from(signature, 'base64url'))
  } catch {
    return false // not a key
  }
}

/** PKCS#8 of an Ed25519 key is this head (RFC 8410) and the seed. */
function seedKey(seed: string): KeyObject {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(seed, 'base64url')])
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}

const rawPublic = (key: KeyObject) => createPublicKey(key).export({ format: 'jwk' }).x ?? ''
