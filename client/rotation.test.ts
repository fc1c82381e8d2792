import { createHmac } from 'node:crypto'
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import { ROTATION_INFO, rotationText } from '@postern/protocol/rotation.ts'
import { expect, test } from 'vitest'
import { rotationChallenge } from './rotation.ts'

const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() })

test('only who holds the known key can vouch for the next, and only for that', async () => {
  const pair = await suite.kem.generateKeyPair()
  const known = Buffer.from(await suite.kem.serializePublicKey(pair.publicKey)).toString('base64url')
  const challenge = await rotationChallenge('gw_1', known)
  const [enc = '', ciphertext = ''] = challenge.sealed.split('.')
  const recipient = await suite.createRecipientContext({
    recipientKey: pair.privateKey,
    enc: new Uint8Array(Buffer.from(enc, 'base64url')),
    info: new TextEncoder().encode(ROTATION_INFO),
  })

  const nonce = Buffer.from(await recipient.open(new Uint8Array(Buffer.from(ciphertext, 'base64url')), new TextEncoder().encode('gw_1')))
  const proofOf = (key: Buffer, publicKey: string) => createHmac('sha256', key).update(rotationText('gw_1', publicKey)).digest('base64url')

  expect(await challenge.isProof('next', proofOf(nonce, 'next'))).toBe(true)
  expect(await challenge.isProof('other', proofOf(nonce, 'next'))).toBe(false)
  expect(await challenge.isProof('next', proofOf(Buffer.alloc(32), 'next'))).toBe(false)
  expect(await challenge.isProof('next', 'not base64url!')).toBe(false)
})
