/**
 * Following a gateway to its next key. Who asks for the rotation gives along 32 bytes that are sealed to the key that it knows; only a node
 * that holds it can open them, and answers with an HMAC of the new key under them. The service can make up neither.
 */
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import { fromBase64Url, toBase64Url } from '@postern/protocol/base64url.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { ROTATION_INFO, rotationText } from '@postern/protocol/rotation.ts'

export interface RotationChallenge {
  /** For the service, and by it for the node. */
  readonly sealed: string
  /** Whether the new key was made by who held the known one. */
  isProof(publicKey: string, proof: string): Promise<boolean>
}

export async function rotationChallenge(gatewayId: string, knownKey: string): Promise<RotationChallenge> {
  const known = fromBase64Url(knownKey)
  if (known?.length !== 32) throw new Fault('INPUT_INVALID', { at: "The gateway's public key is not 32 bytes of base64url." })
  const nonce = crypto.getRandomValues(new Uint8Array(32))
  const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() })
  const recipientPublicKey = await suite.kem.deserializePublicKey(known)
  const sender = await suite.createSenderContext({ recipientPublicKey, info: new TextEncoder().encode(ROTATION_INFO) })
  const ciphertext = await sender.seal(nonce, new TextEncoder().encode(gatewayId))
  const key = await crypto.subtle.importKey('raw', nonce, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
  return {
    sealed: `${toBase64Url(new Uint8Array(sender.enc))}.${toBase64Url(new Uint8Array(ciphertext))}`,
    isProof: async (publicKey, proof) => {
      const given = fromBase64Url(proof)
      const text = new TextEncoder().encode(rotationText(gatewayId, publicKey))
      return given !== undefined && (await crypto.subtle.verify('HMAC', key, given, text))
    },
  }
}
