/**
 * Authentication keys: what joins a node to its gateway. A key has two secrets. From the first comes the proof that the service is shown at
 * the join; it keeps a hash of that. The second never leaves the people and nodes that have the key: with it a node that has joined
 * signs its request for the gateway's key (docs/adr/0016), and the service only knows what such signatures are checked with.
 *
 *     pgk_ base64url(join secret 32 · hand-over secret 32 · check 2)
 */
import type { AuthKeyPart } from './auth-key-part.ts'
import { fromBase64Url, toBase64Url } from './base64url.ts'

const PREFIX = 'pgk_'
const SECRET_BYTES = 32
const CHECK_BYTES = 2
const HINT_CHARACTERS = 8
/** PKCS#8 of an Ed25519 key is this head (RFC 8410) and the seed. */
const ED25519_HEAD = Uint8Array.of(0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20)

/** What a node makes of a key. */
export interface OpenedAuthKey {
  /** Shown to the service at the join. */
  readonly joinProof: string
  /** Seed of the Ed25519 key that signs requests for the gateway's key, base64url. Shown to nobody. */
  readonly handOverSeed: string
  readonly part: AuthKeyPart
}

export async function makeAuthKey(bytes: (count: number) => Uint8Array): Promise<{ readonly text: string; readonly part: AuthKeyPart }> {
  const secrets = bytes(2 * SECRET_BYTES)
  const text = PREFIX + toBase64Url(joined(secrets, await checkOf(secrets)))
  const { part } = await opened(text, secrets)
  return { text, part }
}

/** Undefined when the text is not a whole authentication key: nobody need be asked to know that. */
export async function openAuthKey(text: string): Promise<OpenedAuthKey | undefined> {
  const key = text.trim()
  const bytes = key.startsWith(PREFIX) ? fromBase64Url(key.slice(PREFIX.length)) : undefined
  if (bytes?.length !== 2 * SECRET_BYTES + CHECK_BYTES) return undefined
  const secrets = bytes.subarray(0, 2 * SECRET_BYTES)
  const check = await checkOf(secrets)
  if (!check.every((byte, index) => byte === bytes[2 * SECRET_BYTES + index])) return undefined
  return opened(key, secrets)
}

async function opened(text: string, secrets: Uint8Array): Promise<OpenedAuthKey> {
  const joinProof = toBase64Url(await derive(secrets.subarray(0, SECRET_BYTES), 'postern/join/v1'))
  const seed = await derive(secrets.subarray(SECRET_BYTES), 'postern/hand-over/v1')
  const proofHash = hex(await sha256(new TextEncoder().encode(joinProof)))
  const part = { proofHash, verifier: await verifierOf(seed), hint: `${text.slice(0, HINT_CHARACTERS)}…` }
  return { joinProof, handOverSeed: toBase64Url(seed), part }
}

async function verifierOf(seed: Uint8Array): Promise<string> {
  const key = await crypto.subtle.importKey('pkcs8', joined(ED25519_HEAD, seed), 'Ed25519', true, ['sign'])
  return (await crypto.subtle.exportKey('jwk', key)).x ?? ''
}

async function derive(secret: Uint8Array, info: string): Promise<Uint8Array> {
  const key = await crypto.subtle.importKey('raw', joined(secret), 'HKDF', false, ['deriveBits'])
  const how = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: new TextEncoder().encode(info) }
  return new Uint8Array(await crypto.subtle.deriveBits(how, key, 8 * SECRET_BYTES))
}

const checkOf = async (secrets: Uint8Array) =>
  (await sha256(joined(new TextEncoder().encode('postern/key-check'), secrets))).subarray(0, CHECK_BYTES)

const sha256 = async (bytes: Uint8Array<ArrayBuffer>) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
