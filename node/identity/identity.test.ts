import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { renewalTime } from './certificate-keeper.ts'
import { makeChannelKey } from './csr.ts'
import { Identity } from './identity.ts'

const clock = { now: () => 1_700_000_000_500, monotonic: () => 0, sleep: () => Promise.resolve() }

test('a call is signed for its method, path and body, and by the key that was exported', async () => {
  const identity = Identity.parse(Identity.generate().export())
  const header = identity.authorization({ issuer: 'nod_1', method: 'POST', path: '/v1/node/beat', body: '{}' }, clock)

  const [scheme, token = ''] = header.split(' ')
  const [head = '', claims = '', signature = ''] = token.split('.')
  const key = await crypto.subtle.importKey('raw', Buffer.from(identity.publicKey(), 'base64url'), 'Ed25519', true, ['verify'])

  expect(scheme).toBe('PosternNode')
  expect(await crypto.subtle.verify('Ed25519', key, Buffer.from(signature, 'base64url'), Buffer.from(`${head}.${claims}`))).toBe(true)
  expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toEqual({
    iss: 'nod_1',
    htm: 'POST',
    htu: '/v1/node/beat',
    bh: createHash('sha256').update('{}').digest('base64url'),
    iat: 1_700_000_000,
  })
})

test('each request for a certificate has a key of its own', () => {
  const one = makeChannelKey('node-a')
  const two = makeChannelKey('node-a')

  expect(one.csr).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----\n/)
  expect(one.privateKey).not.toBe(two.privateKey)
})

test('a certificate is renewed at half of its life, give or take a tenth of it', () => {
  const life = { from: 1_000, until: 2_000 }

  expect([0, 0.5, 1].map((fraction) => renewalTime(life, fraction))).toEqual([1_450, 1_500, 1_550])
})
