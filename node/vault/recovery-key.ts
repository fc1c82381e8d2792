/** The recovery key: 160 random bits that a person keeps, and what is sealed to it (docs/adr/0016). */
import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { Secret } from '@postern/base/log.ts'
import type { Random } from '@postern/base/random.ts'
import type { RecoverySeal } from '@postern/protocol/node-api.ts'
import { type GatewayKey, gatewayKeyFrom } from './gateway-key.ts'
import { hpkeOpen, hpkeSeal } from './hpke.ts'

const SECRET_BYTES = 20
const INFO = 'postern/recovery/v1'
/** Crockford's: no I, L, O and U, which are misread. Eight groups of four hold the key, the ninth a check of 20 bits. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const GROUP = 4
const KEY_CHARACTERS = 32
const CHECK_CHARACTERS = 4

export function makeRecoveryKey(random: Random): Secret {
  const secret = Buffer.from(random.bytes(SECRET_BYTES))
  const text = toBase32(secret) + checkOf(secret)
  return new Secret(text.match(new RegExp(`.{${GROUP}}`, 'g'))?.join('-') ?? '')
}

/** The bits of a key as a person typed it: case, spaces and hyphens do not matter, nor o for 0 and i or l for 1. Undefined when it cannot be right. */
export function parseRecoveryKey(typed: string): Buffer | undefined {
  const text = typed.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1')
  if (text.length !== KEY_CHARACTERS + CHECK_CHARACTERS || [...text].some((character) => !ALPHABET.includes(character))) return undefined
  const secret = fromBase32(text.slice(0, KEY_CHARACTERS))
  return checkOf(secret) === text.slice(KEY_CHARACTERS) ? secret : undefined
}

/** The X25519 pair that comes of a recovery key, another one in each gateway. 160 bits need no slow derivation. */
export function recoveryPair(secret: Buffer, gatewayId: string): GatewayKey {
  const raw = Buffer.from(hkdfSync('sha256', secret, gatewayId, INFO, 32)).toString('base64url')
  const pair = gatewayKeyFrom(raw)
  if (!pair) throw new Error('32 bytes are no key')
  return pair
}

/** The gateway's private key for who has the recovery key, and a stamp by which its nodes know that recovery key again. */
export async function sealRecovery(key: GatewayKey, gatewayId: string, recoveryKey: string): Promise<RecoverySeal> {
  const plain = new TextEncoder().encode(key.privateKey.reveal())
  const sealed = await hpkeSeal(recoveryKey, INFO, aboutOf(gatewayId, key.publicKey), plain)
  return { publicKey: key.publicKey, recoveryKey, stamp: stampOf(key, gatewayId, recoveryKey), sealed }
}

/** Undefined when the recovery key is another one. */
export async function openRecovery(seal: RecoverySeal, pair: GatewayKey, gatewayId: string): Promise<GatewayKey | undefined> {
  try {
    const plain = await hpkeOpen(pair, INFO, aboutOf(gatewayId, seal.publicKey), seal.sealed)
    const key = gatewayKeyFrom(new TextDecoder().decode(plain))
    return key?.publicKey === seal.publicKey ? key : undefined
  } catch {
    return undefined
  }
}

/** Whether a node of the gateway sealed to this recovery key: else whoever can write to the service's database could name one. */
export function isStamped(seal: RecoverySeal, key: GatewayKey, gatewayId: string): boolean {
  const [given, expected] = [Buffer.from(seal.stamp), Buffer.from(stampOf(key, gatewayId, seal.recoveryKey))]
  return seal.publicKey === key.publicKey && given.length === expected.length && timingSafeEqual(given, expected)
}

function stampOf(key: GatewayKey, gatewayId: string, recoveryKey: string): string {
  const secret = Buffer.from(
    hkdfSync('sha256', Buffer.from(key.privateKey.reveal(), 'base64url'), gatewayId, 'postern/recovery-stamp/v1', 32),
  )
  return createHmac('sha256', secret).update(recoveryKey).digest('base64url')
}

const aboutOf = (gatewayId: string, publicKey: string) => new TextEncoder().encode(JSON.stringify([INFO, gatewayId, publicKey]))

const checkOf = (secret: Buffer) =>
  toBase32(createHash('sha256').update('postern/recovery-check').update(secret).digest().subarray(0, 5)).slice(0, CHECK_CHARACTERS)

/** Five bits a character; the length in bits is a multiple of five. */
function toBase32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{5}/g) ?? []).map((five) => ALPHABET[Number.parseInt(five, 2)]).join('')
}

function fromBase32(text: string): Buffer {
  const bits = [...text].map((character) => ALPHABET.indexOf(character).toString(2).padStart(5, '0')).join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((eight) => Number.parseInt(eight, 2)))
}
