import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { Secret } from '@postern/base/log.ts'
import { formatFingerprint } from '@postern/protocol/fingerprint.ts'

/** The gateway's X25519 pair: what credentials are sealed to. Both halves are base64url of 32 bytes. */
export interface GatewayKey {
  readonly publicKey: string
  readonly privateKey: Secret
  /** While the key is being rotated: the one before it, or the one to come. What was sealed to those opens too. */
  readonly others?: readonly GatewayKey[]
}

export const withOthers = (key: GatewayKey): readonly GatewayKey[] => [key, ...(key.others ?? [])]

export function makeGatewayKey(): GatewayKey {
  const jwk = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' })
  return { publicKey: jwk.x ?? '', privateKey: new Secret(jwk.d ?? '') }
}

/** The pair that a private key makes, or undefined when the text is no X25519 key. */
export function gatewayKeyFrom(privateKey: string): GatewayKey | undefined {
  const raw = Buffer.from(privateKey, 'base64url')
  if (raw.length !== 32) return undefined
  // PKCS#8 of an X25519 key is this head (RFC 8410) and the 32 bytes.
  const der = Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), raw])
  const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
  return { publicKey: key.export({ format: 'jwk' }).x ?? '', privateKey: new Secret(privateKey) }
}

export function fingerprintOf(publicKey: string): string {
  return formatFingerprint(createHash('sha256').update(Buffer.from(publicKey, 'base64url')).digest())
}
