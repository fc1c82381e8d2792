import { systemRandom } from '@postern/base/random.ts'
import { makeAuthKey, openAuthKey } from '@postern/protocol/auth-key.ts'
import { expect, test } from 'vitest'
import { Identity } from '../identity/identity.ts'
import { makeGatewayKey } from './gateway-key.ts'
import { type Claim, isSigned, openFor, requestFor, sealFor } from './hand-over.ts'

const identity = Identity.generate()
const ephemeral = makeGatewayKey()
const about = {
  gateway: 'gw_1',
  asker: 'nod_b',
  holder: 'nod_a',
  challenge: '1.x',
  ephemeral: ephemeral.publicKey,
  wanted: makeGatewayKey().publicKey,
}
const THE_KEY = makeGatewayKey().privateKey.reveal()

async function authKeyClaim() {
  const { text, part } = await makeAuthKey((count) => systemRandom.bytes(count))
  const opened = await openAuthKey(text)
  return { claim: { by: 'auth-key', seed: opened?.handOverSeed ?? '' } as const satisfies Claim, verifier: part.verifier }
}

test('who has the authentication key is believed, and gets an answer that only he can read', async () => {
  const { claim, verifier } = await authKeyClaim()
  const request = requestFor(about, claim, identity)

  const sealed = await sealFor(about, request.proof, THE_KEY)

  expect(request.proof).toMatchObject({ by: 'auth-key', verifier })
  expect(isSigned(about, request, identity.publicKey())).toBe(true)
  expect(await openFor(about, claim, ephemeral, sealed)).toBe(THE_KEY)
  await expect(openFor(about, claim, makeGatewayKey(), sealed)).rejects.toThrow()
})

test.each(['gateway', 'asker', 'holder', 'challenge', 'ephemeral', 'wanted'] as const)(
  'a request is for nothing else: with another %s its signatures do not hold, nor does its answer open',
  async (what) => {
    const { claim } = await authKeyClaim()
    const request = requestFor(about, claim, identity)
    const other = { ...about, [what]: what === 'ephemeral' ? makeGatewayKey().publicKey : 'other' }

    expect(isSigned(other, request, identity.publicKey())).toBe(false)
    await expect(openFor(other, claim, ephemeral, await sealFor(about, request.proof, THE_KEY))).rejects.toThrow()
  },
)

test('neither the key of another node nor another authentication key will do', async () => {
  const [mine, others] = [await authKeyClaim(), await authKeyClaim()]
  const request = requestFor(about, mine.claim, identity)
  const foreign = requestFor(about, others.claim, identity)

  expect(isSigned(about, request, Identity.generate().publicKey())).toBe(false)
  expect(isSigned(about, { ...request, proof: { ...request.proof, verifier: others.verifier } as never }, identity.publicKey())).toBe(false)
  expect(isSigned(about, { ...request, proof: foreign.proof }, identity.publicKey())).toBe(false)
  expect(isSigned(about, { ...request, identitySignature: foreign.identitySignature }, identity.publicKey())).toBe(false)
})

test('who claims to hold a key of the gateway must have it to read the answer', async () => {
  const held = makeGatewayKey()
  const request = requestFor(about, { by: 'held-key', key: held }, identity)

  const sealed = await sealFor(about, request.proof, THE_KEY)

  expect(isSigned(about, request, identity.publicKey())).toBe(true)
  expect(await openFor(about, { by: 'held-key', key: held }, ephemeral, sealed)).toBe(THE_KEY)
  await expect(openFor(about, { by: 'held-key', key: makeGatewayKey() }, ephemeral, sealed)).rejects.toThrow()
})
