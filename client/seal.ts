/**
 * Seals a store's secrets so that only the nodes of its gateway can open them (HPKE, RFC 9180, base mode):
 * DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. Runs where the secret was typed: in the command line, in the browser.
 *
 *     sealed text = base64url(encapsulated key) "." base64url(ciphertext)
 *     plaintext   = JSON object of the secret settings
 */
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import { fromBase64Url, toBase64Url } from '@postern/protocol/base64url.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { formatFingerprint } from '@postern/protocol/fingerprint.ts'
import { type SealContext, sealAad } from '@postern/protocol/seal-context.ts'

export const SEAL_INFO = 'postern/credential/v1'

const suite = () => new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() })

/** `publicKey` is the gateway's, as the API shows it (base64url of the 32 bytes). */
export async function seal(publicKey: string, context: SealContext, secrets: Readonly<Record<string, string>>): Promise<string> {
  const hpke = suite()
  const recipientPublicKey = await hpke.kem.deserializePublicKey(publicKeyBytes(publicKey))
  const sender = await hpke.createSenderContext({ recipientPublicKey, info: new TextEncoder().encode(SEAL_INFO) })
  const plaintext = new TextEncoder().encode(JSON.stringify(secrets))
  const ciphertext = await sender.seal(plaintext, sealAad(context))
  return `${toBase64Url(new Uint8Array(sender.enc))}.${toBase64Url(new Uint8Array(ciphertext))}`
}

/** SHA-256 of the public key, hex in groups of four: what a person compares with the text on a node. */
export async function fingerprintOf(publicKey: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', publicKeyBytes(publicKey)))
  return formatFingerprint(digest)
}

function publicKeyBytes(publicKey: string): Uint8Array<ArrayBuffer> {
  const bytes = fromBase64Url(publicKey)
  if (bytes?.length !== 32) throw new Fault('INPUT_INVALID', { at: "The gateway's public key is not 32 bytes of base64url." })
  return bytes
}
