import { HandClock } from '@postern/testkit/hand-clock.ts'
import { expect, test } from 'vitest'
import { Rounds } from './rounds.ts'

function rounds(round: (signal: AbortSignal) => unknown) {
  const clock = new HandClock()
  const failures: unknown[] = []
  return { clock, failures, rounds: new Rounds({ everyMs: 100, clock, round, failed: (cause) => failures.push(cause) }) }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

test('a round comes after each pause, also after one that failed', async () => {
  let times = 0
  const {
    clock,
    failures,
    rounds: own,
  } = rounds(() => {
    times += 1
    if (times === 1) throw new Error('away')
  })
  own.start()
  own.start()
  await clock.advance(99)
  expect(times).toBe(0)
  await clock.advance(1)
  await clock.advance(100)

  expect(times).toBe(2)
  expect(failures).toEqual([new Error('away')])
  await own.stop()
})

test('the pause begins when a round has ended: two never run at a time', async () => {
  const ends: (() => void)[] = []
  const { clock, rounds: own } = rounds(() => new Promise<void>((resolve) => ends.push(resolve)))
  own.start()
  await clock.advance(500)
  expect(ends).toHaveLength(1)
  ends[0]?.()
  await settled()
  await clock.advance(100)

  expect(ends).toHaveLength(2)
  ends[1]?.()
  await own.stop()
})

test('a stop tells the round that runs, waits for it, and no other comes', async () => {
  let told = false
  let ended = false
  const { clock, rounds: own } = rounds(async (signal) => {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    told = true
    await settled()
    ended = true
  })
  own.start()
  await clock.advance(100)
  await own.stop()
  await clock.advance(1_000)

  expect({ told, ended, sleeping: clock.sleeping }).toEqual({ told: true, ended: true, sleeping: 0 })
})

test('the first round may come sooner than the others', async () => {
  let times = 0
  const clock = new HandClock()
  const own = new Rounds({ everyMs: 1_000, firstMs: 10, clock, round: () => (times += 1), failed: () => undefined })
  own.start()
  await clock.advance(1_009)
  expect(times).toBe(1)
  await clock.advance(1)

  expect(times).toBe(2)
  await own.stop()
})
