import { Secret } from '@postern/base/log.ts'
import { referenceName } from '@postern/protocol/reference.ts'
import { HandClock } from '@postern/testkit/hand-clock.ts'
import { expect, test } from 'vitest'
import { hasReferences, Referred } from './referred.ts'

function rig() {
  const clock = new HandClock()
  const there = { value: 'one', reads: 0, away: false }
  const referred = new Referred(async () => {
    there.reads += 1
    if (there.away) throw new Error('away')
    return { password: new Secret(there.value) }
  }, clock)
  return { clock, there, referred }
}

test('a secret that has become another one is seen at once', async () => {
  const { there, referred } = rig()
  await referred.first()
  there.value = 'two'

  expect(await referred.changed()).toBe(true)
})

test('a store that refuses sign-ins all the time has its secret read once a second, however many ask', async () => {
  const { clock, there, referred } = rig()
  await referred.first()

  for (let turn = 0; turn < 50; turn += 1) {
    expect(await Promise.all([referred.changed(), referred.changed()])).toEqual([false, false])
    await clock.advance(100)
  }

  expect(there.reads).toBeLessThanOrEqual(7)
})

test('what could not be read is not tried again at once, and its age does not count from there alone', async () => {
  const { clock, there, referred } = rig()
  await referred.first()
  await clock.advance(60_000)
  expect(referred.isOlderThan(50_000)).toBe(true)
  there.away = true

  await expect(referred.changed()).rejects.toThrow('away')
  expect(await referred.changed()).toBe(false)
  there.away = false
  there.value = 'two'
  await clock.advance(1_000)
  expect(await referred.changed()).toBe(true)
})

test('secrets are references by their names', () => {
  expect(hasReferences({ password: new Secret('vault:secret/data/x#y') })).toBe(false)
  expect(hasReferences({ [referenceName('password')]: new Secret('file:x') })).toBe(true)
})
