import type { RunId } from '@postern/protocol/ids.ts'
import { expect, test } from 'vitest'
import { makeGatewayKey } from '../vault/gateway-key.ts'
import { openCall, Stamp, sealCall } from './sealed-call.ts'

const run = 'run_00000000000000000001' as RunId
const other = 'run_00000000000000000002' as RunId

test('a call is opened by the gateway that it was sealed to, and both ends then have the same key for the answer', async () => {
  const key = makeGatewayKey()

  const { sealed, answerKey } = await sealCall(key.publicKey, run, '{"op":"snapshot"}')
  const opened = await openCall(key, run, sealed)

  expect(opened.call).toBe('{"op":"snapshot"}')
  expect(opened.answerKey.equals(answerKey)).toBe(true)
  expect(sealed).not.toContain('snapshot')
})

test('each call has a key of its own for the answer', async () => {
  const key = makeGatewayKey()

  const [one, two] = await Promise.all([sealCall(key.publicKey, run, '{}'), sealCall(key.publicKey, run, '{}')])

  expect(one.answerKey.equals(two.answerKey)).toBe(false)
})

test('another gateway, another run and rubbish are refused alike', async () => {
  const key = makeGatewayKey()
  const { sealed } = await sealCall(key.publicKey, run, '{}')

  const openings = [
    () => openCall(makeGatewayKey(), run, sealed),
    () => openCall(key, other, sealed),
    () => openCall(key, run, `A${sealed}`),
    () => openCall(key, run, 'rubbish'),
    () => openCall(key, run, ''),
  ]
  for (const opening of openings) await expect(opening()).rejects.toMatchObject({ code: 'BRIDGE_BROKEN' })
})

test('a stamp holds for its text, run and gateway only', () => {
  const key = makeGatewayKey()
  const stamp = new Stamp(key, run).of('{"title":"orders"}')

  expect(new Stamp(key, run).holds('{"title":"orders"}', stamp)).toBe(true)
  expect(new Stamp(key, run).holds('{"title":"salaries"}', stamp)).toBe(false)
  expect(new Stamp(key, other).holds('{"title":"orders"}', stamp)).toBe(false)
  expect(new Stamp(makeGatewayKey(), run).holds('{"title":"orders"}', stamp)).toBe(false)
  expect(new Stamp(key, run).holds('{"title":"orders"}', 'short')).toBe(false)
})
