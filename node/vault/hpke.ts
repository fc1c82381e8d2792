import type { GatewayKey } from './gateway-key.ts'

/**
 * HPKE (RFC 9180) base mode, X25519-HKDF-SHA256, HKDF-SHA256, AES-256-GCM: base64url(encapsulated key) "." base64url(ciphertext).
 * `info` says what it is for, `about` (additional data) what it belongs to; neither opens with another.
 */
export async function hpkeSeal(publicKey: string, info: string, about: Uint8Array, plain: Uint8Array): Promise<string> {
  const suite = await cipherSuite()
  const recipientPublicKey = await suite.kem.deserializePublicKey(new Uint8Array(Buffer.from(publicKey, 'base64url')))
  const sender = await suite.createSenderContext({ recipientPublicKey, info: new TextEncoder().encode(info) })
  const ciphertext = await sender.seal(new Uint8Array(plain), new Uint8Array(about))
  return `${Buffer.from(sender.enc).toString('base64url')}.${Buffer.from(ciphertext).toString('base64url')}`
}

/** Throws whatever the library throws: a caller makes a fault of it that tells nothing of what was inside. */
export async function hpkeOpen(key: GatewayKey, info: string, about: Uint8Array, sealed: string): Promise<Uint8Array> {
  const [enc, ciphertext] = sealed.split('.').map((part) => new Uint8Array(Buffer.from(part, 'base64url')))
  if (!enc || !ciphertext) throw new Error('not sealed')
  const suite = await cipherSuite()
  const recipientKey = await suite.kem.importKey('raw', new Uint8Array(Buffer.from(key.privateKey.reveal(), 'base64url')), false)
  const recipient = await suite.createRecipientContext({ recipientKey, enc, info: new TextEncoder().encode(info) })
  return new Uint8Array(await recipient.open(ciphertext, new Uint8Array(about)))
}

/** Loaded on first use: a node that opens nothing carries none of it. */
async function cipherSuite() {
  const { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } = await import('@hpke/core')
  return new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() })
}
