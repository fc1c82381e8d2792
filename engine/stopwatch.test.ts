import { HandClock } from '@postern/testkit/hand-clock.ts'
import { expect, test } from 'vitest'
import { Stopwatch } from './stopwatch.ts'

test('what comes before the first byte is not reading, and the rest goes to whoever was waited for', async () => {
  const clock = new HandClock()
  const watch = new Stopwatch(clock)
  await clock.advance(100)
  watch.firstByte()
  await clock.advance(30)
  watch.turn('write')
  await clock.advance(7)
  watch.turn('limit')
  await clock.advance(500)
  watch.turn('commit')
  await clock.advance(2)

  expect(watch.times()).toEqual({ firstByteMs: 100, readMs: 30, writeMs: 7, commitMs: 2 })
  expect(watch.limitMs).toBe(500)
})
