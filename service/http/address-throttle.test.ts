import type { Clock } from '@postern/base/clock.ts'
import { expect, test } from 'vitest'
import { AddressThrottle } from './address-throttle.ts'

test('after twenty wrong ones in a minute an address waits, others do not', () => {
  let now = 0
  const clock: Clock = { now: () => now, monotonic: () => now, sleep: () => Promise.resolve() }
  const throttle = new AddressThrottle(clock, 20)

  for (let tries = 0; tries < 19; tries += 1) throttle.wrong('10.0.0.1')
  expect(throttle.waitSeconds('10.0.0.1')).toBe(0)
  throttle.wrong('10.0.0.1')
  now = 10_000

  expect(throttle.waitSeconds('10.0.0.1')).toBe(50)
  expect(throttle.waitSeconds('10.0.0.2')).toBe(0)
  now = 60_001
  expect(throttle.waitSeconds('10.0.0.1')).toBe(0)
})
