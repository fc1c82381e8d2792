import { Secret } from '@postern/base/log.ts'
import { type SealContext, sealAad } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { z } from 'zod'
import type { GatewayKey } from './gateway-key.ts'

const INFO = new TextEncoder().encode('postern/credential/v1')
const Plain = z.record(z.string().max(64), z.string().max(65_536))

/**
 * Opens a credential that client/seal.ts sealed: HPKE (RFC 9180) base mode, X25519-HKDF-SHA256, HKDF-SHA256, AES-256-GCM.
 * What it was sealed for (gateway, kind, host, ...) is part of it: a changed host makes it unreadable.
 */
export async function openSealed(sealed: string, key: GatewayKey, context: SealContext): Promise<Readonly<Record<string, Secret>>> {
  try {
    const [enc, ciphertext] = sealed.split('.').map((part) => new Uint8Array(Buffer.from(part, 'base64url')))
    if (!enc || !ciphertext) throw new Error('not sealed')
    const { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } = await import('@hpke/core')
    const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() })
    const raw = new Uint8Array(Buffer.from(key.privateKey.reveal(), 'base64url'))
    const recipientKey = await suite.kem.importKey('raw', raw, false)
    const recipient = await suite.createRecipientContext({ recipientKey, enc, info: INFO })
    const plain = await recipient.open(ciphertext, sealAad(context))
    const secrets = Plain.parse(JSON.parse(new TextDecoder().decode(plain)))
    return Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, new Secret(value)]))
  } catch {
    // The cause is not kept: a parser's message could quote what was inside.
    throw new Fault('CREDENTIAL_UNREADABLE')
  }
}
