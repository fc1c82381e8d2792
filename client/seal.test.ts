import { Buffer } from 'node:buffer'
import { fromBase64Url, toBase64Url } from '@postern/protocol/base64url.ts'
import { type SealContext, sealAad } from '@postern/protocol/seal-context.ts'
import { expect, test } from 'vitest'
import { fingerprintOf, SEAL_INFO, seal } from './seal.ts'
import { publicKeyFrom, referenceOpen } from './seal-reference.ts'
import vectors from './seal-vectors.json' with { type: 'json' }

const hex = (text: string) => Buffer.from(text, 'hex')
const privateKey = Buffer.from('Z0dpXcYwC1xKx4o2mJ8mS7xqv4vV7m2y1lq0v8l8c3A', 'base64url')
const publicKey = publicKeyFrom(privateKey).toString('base64url')
const context: SealContext = { gatewayId: 'gw_0123456789abcdefghij', kind: 'postgres', audience: { host: 'db', port: 5432 } }

function open(sealed: string, key: Uint8Array, sealContext: SealContext): unknown {
  const [enc, ciphertext] = sealed.split('.').map((part) => Buffer.from(part, 'base64url'))
  const info = Buffer.from(SEAL_INFO)
  if (!enc || !ciphertext) throw new Error('not a sealed text')
  return JSON.parse(referenceOpen({ privateKey: key, enc, ciphertext, info, aad: sealAad(sealContext), aead: 2 }).toString())
}

test('the reference opens the first message of RFC 9180, appendix A.1.1', () => {
  const opened = referenceOpen({
    privateKey: hex('4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8'),
    enc: hex('37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431'),
    ciphertext: hex('f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a'),
    info: hex('4f6465206f6e2061204772656369616e2055726e'),
    aad: hex('436f756e742d30'),
    aead: 1,
  })

  expect(opened.toString()).toBe('Beauty is truth, truth beauty')
})

test('what is sealed opens with the key of the gateway, and says the same', async () => {
  const secrets = { password: 'ü中"\n', other: '' }

  const sealed = await seal(publicKey, context, secrets)

  expect(open(sealed, privateKey, context)).toEqual(secrets)
})

test('no two sealings of one secret are the same', async () => {
  const [one, two] = await Promise.all([seal(publicKey, context, { a: 'b' }), seal(publicKey, context, { a: 'b' })])

  expect(one).not.toBe(two)
})

test.each([
  ['another host', { ...context, audience: { host: 'evil', port: 5432 } }],
  ['another gateway', { ...context, gatewayId: 'gw_zzzzzzzzzzzzzzzzzzzz' }],
  ['another kind', { ...context, kind: 'mysql' }],
])('it does not open for %s', async (_, other) => {
  const sealed = await seal(publicKey, context, { password: 'secret' })

  expect(() => open(sealed, privateKey, other)).toThrow()
})

test.each(vectors.map((vector) => [vector.context.kind, vector] as const))('the stored vector %s opens', async (_, vector) => {
  const key = Buffer.from(vector.privateKey, 'base64url')

  expect(open(vector.sealed, key, vector.context as SealContext)).toEqual(vector.secrets)
  expect(await fingerprintOf(vector.publicKey)).toBe(vector.fingerprint)
})

test('a key that is none is refused before anything is sealed', async () => {
  await expect(seal('AAAA', context, { a: 'b' })).rejects.toMatchObject({ code: 'INPUT_INVALID' })
})

test('base64url goes there and back, and refuses what it is not', () => {
  const bytes = Uint8Array.from({ length: 257 }, (_, n) => n % 256)

  expect(fromBase64Url(toBase64Url(bytes))).toEqual(bytes)
  expect(fromBase64Url('a+b')).toBeUndefined()
  expect(fromBase64Url('a')).toBeUndefined()
})
