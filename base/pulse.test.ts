import { HandClock } from '@postern/testkit/hand-clock.ts'
import { expect, test } from 'vitest'
import { Pulse } from './pulse.ts'

const OPTIONS = { askMs: 1_500, deadMs: 3_000 }

function watched(clock: HandClock, answers: boolean) {
  const pulse = new Pulse(OPTIONS, clock)
  const seen = { bytes: 0, asked: 0, deadAt: undefined as number | undefined }
  const unwatch = pulse.watch({
    bytesRead: () => seen.bytes,
    ask: (answered) => {
      seen.asked += 1
      if (answers) answered()
    },
    dead: () => {
      seen.deadAt = clock.monotonic()
    },
  })
  return { pulse, seen, unwatch }
}

test('what sends each second is never asked', async () => {
  const clock = new HandClock()
  const { seen } = watched(clock, false)

  for (let n = 0; n < 60; n += 1) {
    seen.bytes += 10
    await clock.advance(1_000)
  }

  expect(seen).toMatchObject({ asked: 0, deadAt: undefined })
})

test('what says nothing is asked, and lives by its answer', async () => {
  const clock = new HandClock()
  const { seen } = watched(clock, true)

  await clock.advance(60_000)

  expect(seen.asked).toBeGreaterThan(30)
  expect(seen.deadAt).toBeUndefined()
})

test('what does not answer is dead in less than 5 s after its last byte', async () => {
  const clock = new HandClock()
  const { seen } = watched(clock, false)
  await clock.advance(1_100)
  seen.bytes += 10
  const at = clock.monotonic()

  await clock.advance(10_000)

  expect(seen.asked).toBe(1)
  expect((seen.deadAt ?? Number.NaN) - at).toBeGreaterThan(3_500)
  expect((seen.deadAt ?? Number.NaN) - at).toBeLessThanOrEqual(4_500)
})

test('a process that was stopped does not take its own sleep for silence', async () => {
  const clock = new HandClock()
  let asleep = false
  // Wakes late once, as after SIGSTOP.
  const sleepy = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic() + (asleep ? 30_000 : 0),
    sleep: (ms: number, signal?: AbortSignal) => clock.sleep(ms, signal),
  }
  const pulse = new Pulse(OPTIONS, sleepy)
  const dead: number[] = []
  pulse.watch({ bytesRead: () => 0, ask: () => undefined, dead: () => dead.push(sleepy.monotonic()) })
  await clock.advance(2_000)

  asleep = true
  await clock.advance(1_000)
  expect(dead).toEqual([])
  await clock.advance(4_000)

  expect(dead).toHaveLength(1)
})

test('what is not watched any more is left alone, and the timer ends with the last', async () => {
  const clock = new HandClock()
  const { seen, unwatch } = watched(clock, false)

  unwatch()
  await clock.advance(10_000)

  expect([seen.asked, seen.deadAt, clock.sleeping]).toEqual([0, undefined, 0])
})
