import type { Clock } from '@postern/base/clock.ts'
import { expect, test } from 'vitest'
import { SignInThrottle } from './sign-in-throttle.ts'

function setUp() {
  let now = 0
  const clock: Clock = { now: () => now, monotonic: () => now, sleep: () => Promise.resolve() }
  const throttle = new SignInThrottle(clock)
  /** Tries as often as it may within the time; how often that was. */
  const guess = (seconds: number, name: () => string, address: () => string) => {
    let tries = 0
    for (const until = now + seconds * 1_000; now < until; ) {
      const wait = throttle.begin(name(), address())
      if (wait === 0) tries += 1
      now += Math.max(wait, 0.001) * 1_000
    }
    return tries
  }
  return { throttle, guess, pass: (ms: number) => (now += ms) }
}

test('waits grow from a second to five minutes, and never for ever', () => {
  const { throttle, pass } = setUp()
  const waits: number[] = []

  for (let n = 0; n < 16; n += 1) {
    const wait = throttle.begin('ann', '10.0.0.1')
    waits.push(wait)
    pass(wait * 1_000)
    if (wait > 0) expect(throttle.begin('ann', '10.0.0.1')).toBe(0)
  }

  expect(waits).toEqual([0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300])
})

test('asking while waiting makes the wait no longer', () => {
  const { throttle, pass } = setUp()
  for (let n = 0; n < 8; n += 1) {
    pass(5_000)
    throttle.begin('ann', '10.0.0.1')
  }
  const before = throttle.begin('ann', '10.0.0.1')

  for (let n = 0; n < 1_000; n += 1) throttle.begin('ann', '10.0.0.1')

  expect(before).toBe(4)
  expect(throttle.begin('ann', '10.0.0.1')).toBe(before)
})

test('a right password takes the waits away, here', () => {
  const { throttle, pass } = setUp()
  for (let n = 0; n < 7; n += 1) {
    throttle.begin('ann', '10.0.0.1')
    pass(5_000)
  }

  expect(throttle.begin('ann', '10.0.0.1')).toBe(0)
  throttle.right('ann', '10.0.0.1')

  for (let n = 0; n < 5; n += 1) expect(throttle.begin('ann', '10.0.0.1')).toBe(0)
})

test('a day of guessing at one account from one address is a few hundred tries', () => {
  const { guess } = setUp()

  expect(
    guess(
      86_400,
      () => 'ann',
      () => '10.0.0.1',
    ),
  ).toBeLessThan(320)
})

test('a day of guessing at one account from everywhere is two tries a minute', () => {
  const { guess } = setUp()
  let n = 0

  expect(
    guess(
      86_400,
      () => 'ann',
      () => {
        n += 1
        return `10.${n % 250}.${Math.floor(n / 250) % 250}.1`
      },
    ),
  ).toBeLessThan(3_000)
})

test('a day of guessing at all accounts from one address is a try a minute', () => {
  const { guess } = setUp()
  let n = 0

  expect(
    guess(
      86_400,
      () => {
        n += 1
        return `name${n}`
      },
      () => '10.0.0.1',
    ),
  ).toBeLessThan(1_500)
})

test('who has signed in from an address is not kept out by guesses from elsewhere', () => {
  const { throttle } = setUp()
  throttle.begin('ann', '10.0.0.1')
  throttle.right('ann', '10.0.0.1')
  for (let n = 0; n < 80; n += 1) throttle.begin('ann', `10.1.${n}.1`)

  expect(throttle.begin('ann', '10.2.0.1')).toBeGreaterThan(0)
  expect(throttle.begin('ann', '10.0.0.1')).toBe(0)
})

test('the addresses of one IPv6 network are one', () => {
  const { throttle } = setUp()
  for (let n = 0; n < 6; n += 1) throttle.begin('ann', `2001:db8:0:1::${n}`)

  expect(throttle.begin('ann', '2001:0db8::1:ffff:0:0:1')).toBeGreaterThan(0)
  expect(throttle.begin('ann', '2001:db8:0:2::1')).toBe(0)
})

test('what was never compared is not counted', () => {
  const { throttle } = setUp()

  for (let n = 0; n < 100; n += 1) {
    expect(throttle.begin('ann', '10.0.0.1')).toBe(0)
    throttle.undo('ann', '10.0.0.1')
  }
})
