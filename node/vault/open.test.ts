import { readFile } from 'node:fs/promises'
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import { StoreSettings } from '@postern/protocol/api/stores.ts'
import { type SealContext, sealAad } from '@postern/protocol/seal-context.ts'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { fingerprintOf, gatewayKeyFrom, makeGatewayKey } from './gateway-key.ts'
import { openSealed } from './open.ts'

const context: SealContext = { gatewayId: 'gw_1', kind: 'postgres', audience: { host: 'db.example', port: 5432 } }

async function seal(publicKey: string, text: string): Promise<string> {
  const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() })
  const recipientPublicKey = await suite.kem.importKey('raw', new Uint8Array(Buffer.from(publicKey, 'base64url')), true)
  const info = new TextEncoder().encode('postern/credential/v1')
  const sender = await suite.createSenderContext({ recipientPublicKey, info })
  const ciphertext = await sender.seal(new TextEncoder().encode(text), sealAad(context))
  return `${Buffer.from(sender.enc).toString('base64url')}.${Buffer.from(ciphertext).toString('base64url')}`
}

test('a credential that was sealed to the gateway opens with its key', async () => {
  const key = makeGatewayKey()
  const sealed = await seal(key.publicKey, '{"password":"s3cret"}')

  const secrets = await openSealed(sealed, key, context)

  expect(secrets['password']?.reveal()).toBe('s3cret')
})

test('a credential does not open for another host, nor with another key', async () => {
  const key = makeGatewayKey()
  const sealed = await seal(key.publicKey, '{"password":"s3cret"}')
  const elsewhere = { ...context, audience: { host: 'evil.example', port: 5432 } }

  await expect(openSealed(sealed, key, elsewhere)).rejects.toMatchObject({ code: 'CREDENTIAL_UNREADABLE' })
  await expect(openSealed(sealed, makeGatewayKey(), context)).rejects.toMatchObject({ code: 'CREDENTIAL_UNREADABLE' })
})

test('a pair is made again from its private half', () => {
  const key = makeGatewayKey()

  expect(gatewayKeyFrom(key.privateKey.reveal())?.publicKey).toBe(key.publicKey)
  expect(gatewayKeyFrom('short')).toBeUndefined()
})

const Vectors = z.array(
  z.object({
    privateKey: z.string(),
    publicKey: z.string(),
    fingerprint: z.string(),
    context: z.object({ gatewayId: z.string(), kind: z.string(), audience: StoreSettings }),
    secrets: z.record(z.string(), z.string()),
    sealed: z.string(),
  }),
)

test('what the client sealed opens here: the vectors that both sides keep', async () => {
  const text = await readFile(new URL('../../client/seal-vectors.json', import.meta.url), 'utf8')

  for (const vector of Vectors.parse(JSON.parse(text))) {
    const key = gatewayKeyFrom(vector.privateKey)
    if (!key) throw new Error('the vector has no key')
    const secrets = await openSealed(vector.sealed, key, vector.context)

    expect(key.publicKey).toBe(vector.publicKey)
    expect(fingerprintOf(key.publicKey)).toBe(vector.fingerprint)
    expect(Object.entries(secrets).map(([name, secret]) => [name, secret.reveal()])).toEqual(Object.entries(vector.secrets))
  }
})
