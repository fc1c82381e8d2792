import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { Fault } from '@postern/protocol/fault.ts'
import type { RunId } from '@postern/protocol/ids.ts'
import { type GatewayKey, withOthers } from '../vault/gateway-key.ts'

const INFO = new TextEncoder().encode('postern/bridge/v1')
const ANSWER = new TextEncoder().encode('answer')
const KEY_BYTES = 32

export interface SealedCall {
  /** base64url(encapsulated key) "." base64url(ciphertext) */
  readonly sealed: string
  /** What the answer is encrypted with; only the two ends have it. */
  readonly answerKey: Buffer
}

/**
 * HPKE (RFC 9180) base mode to the key of the source's gateway: X25519-HKDF-SHA256, HKDF-SHA256, AES-256-GCM; the answer's key is exported
 * from the same context (§5.3), so it is new with each call. The run is part of what is sealed.
 */
export async function sealCall(publicKey: string, run: RunId, call: string): Promise<SealedCall> {
  const suite = await cipherSuite()
  const recipientPublicKey = await suite.kem.deserializePublicKey(new Uint8Array(Buffer.from(publicKey, 'base64url')))
  const sender = await suite.createSenderContext({ recipientPublicKey, info: INFO })
  const ciphertext = await sender.seal(new TextEncoder().encode(call), new TextEncoder().encode(run))
  const answerKey = Buffer.from(await sender.export(ANSWER, KEY_BYTES))
  return { sealed: `${Buffer.from(sender.enc).toString('base64url')}.${Buffer.from(ciphertext).toString('base64url')}`, answerKey }
}

/** Fails with BRIDGE_BROKEN when it was not sealed for this gateway and run. */
export async function openCall(
  key: GatewayKey,
  run: RunId,
  sealed: string,
): Promise<{ readonly call: string; readonly answerKey: Buffer }> {
  const [enc, ciphertext] = sealed.split('.').map((part) => new Uint8Array(Buffer.from(part, 'base64url')))
  const suite = await cipherSuite()
  for (const one of enc && ciphertext ? withOthers(key) : []) {
    try {
      const recipientKey = await suite.kem.importKey('raw', new Uint8Array(Buffer.from(one.privateKey.reveal(), 'base64url')), false)
      const recipient = await suite.createRecipientContext({ recipientKey, enc: enc ?? new Uint8Array(), info: INFO })
      const call = new TextDecoder().decode(await recipient.open(ciphertext ?? new Uint8Array(), new TextEncoder().encode(run)))
      return { call, answerKey: Buffer.from(await recipient.export(ANSWER, KEY_BYTES)) }
    } catch {
      // The cause is not kept: a parser's message could quote what was inside.
    }
  }
  throw new Fault('BRIDGE_BROKEN', { at: 'The call is not sealed to the key of this gateway.' })
}

/**
 * Text that came from this gateway's nodes and comes back by way of another gateway: shapes and parts say what is read, so nobody
 * else may make or change them. HMAC-SHA256 with a key derived from the gateway's own; bound to the run.
 */
export class Stamp {
  /** Of the gateway's key of today, then of those beside it during a rotation. */
  readonly #keys: readonly Buffer[]
  readonly #run: RunId

  constructor(key: GatewayKey, run: RunId) {
    this.#keys = withOthers(key).map(stampKey)
    this.#run = run
  }

  of(text: string): string {
    const [today] = this.#keys
    if (!today) throw new Fault('INTERNAL')
    return this.#with(today, text)
  }

  holds(text: string, stamp: string): boolean {
    const given = Buffer.from(stamp)
    return this.#keys.some((key) => {
      const expected = Buffer.from(this.#with(key, text))
      return expected.length === given.length && timingSafeEqual(expected, given)
    })
  }

  #with(key: Buffer, text: string): string {
    return createHmac('sha256', key).update(`${this.#run}\n${text}`).digest('base64url')
  }
}

const stampKey = ({ privateKey }: GatewayKey) =>
  Buffer.from(hkdfSync('sha256', Buffer.from(privateKey.reveal(), 'base64url'), '', 'postern/bridge-stamp/v1', KEY_BYTES))

/** Loaded on first use: a node that has no bridge carries none of it. */
async function cipherSuite() {
  const { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } = await import('@hpke/core')
  return new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() })
}
