import { systemRandom } from '@postern/base/random.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { makeGatewayKey } from './gateway-key.ts'
import { isStamped, makeRecoveryKey, openRecovery, parseRecoveryKey, recoveryPair, sealRecovery } from './recovery-key.ts'

const pairOf = (typed: string, gateway = 'gw_1') => recoveryPair(parseRecoveryKey(typed) ?? Buffer.alloc(0), gateway)

test('a recovery key is nine groups of four that nobody misreads', () => {
  expect(makeRecoveryKey(systemRandom).reveal()).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){8}[0-9A-HJKMNP-TV-Z]{4}$/)
})

test('it is understood however it is typed', () => {
  const key = makeRecoveryKey(systemRandom).reveal()
  const secret = parseRecoveryKey(key)

  for (const typed of [
    key.toLowerCase(),
    key.replaceAll('-', ''),
    ` ${key.replaceAll('-', '  ')}\n`,
    key.replaceAll('0', 'o').replaceAll('1', 'l'),
  ]) {
    expect(parseRecoveryKey(typed)).toEqual(secret)
  }
})

test('a slip of the finger is noticed', () => {
  const key = makeRecoveryKey(systemRandom).reveal().replaceAll('-', '')
  const swapped = fc.record({ at: fc.nat(34), by: fc.constantFrom(...'0123456789ABCDEFGHJKMNPQRSTVWXYZ') })

  fc.assert(
    fc.property(swapped, ({ at, by }) => {
      fc.pre(key[at] !== by)
      expect(parseRecoveryKey(key.slice(0, at) + by + key.slice(at + 1))).toBeUndefined()
    }),
    { numRuns: 300, seed: 7 },
  )
  expect(parseRecoveryKey('')).toBeUndefined()
  expect(parseRecoveryKey(key.slice(1))).toBeUndefined()
})

test('the gateway key opens with the recovery key, in its own gateway, and with no other', async () => {
  const gatewayKey = makeGatewayKey()
  const [mine, other] = [makeRecoveryKey(systemRandom).reveal(), makeRecoveryKey(systemRandom).reveal()]

  const seal = await sealRecovery(gatewayKey, 'gw_1', pairOf(mine).publicKey)

  expect((await openRecovery(seal, pairOf(mine), 'gw_1'))?.privateKey.reveal()).toBe(gatewayKey.privateKey.reveal())
  expect(await openRecovery(seal, pairOf(other), 'gw_1')).toBeUndefined()
  expect(await openRecovery(seal, pairOf(mine, 'gw_2'), 'gw_2')).toBeUndefined()
  expect(await openRecovery({ ...seal, publicKey: makeGatewayKey().publicKey }, pairOf(mine), 'gw_1')).toBeUndefined()
})

test('only nodes of the gateway can name a recovery key', async () => {
  const gatewayKey = makeGatewayKey()
  const seal = await sealRecovery(gatewayKey, 'gw_1', pairOf(makeRecoveryKey(systemRandom).reveal()).publicKey)
  const forged = { ...seal, recoveryKey: makeGatewayKey().publicKey }

  expect(isStamped(seal, gatewayKey, 'gw_1')).toBe(true)
  expect(isStamped(forged, gatewayKey, 'gw_1')).toBe(false)
  expect(isStamped(seal, makeGatewayKey(), 'gw_1')).toBe(false)
})
