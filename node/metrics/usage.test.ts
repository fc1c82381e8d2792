import { silentLog } from '@postern/base/log.ts'
import { HandClock } from '@postern/testkit/hand-clock.ts'
import { expect, test } from 'vitest'
import { Usage } from './usage.ts'
import { UsageWindow } from './usage-window.ts'

const fill = (window: UsageWindow, seconds: number, cpuPercent: number) => {
  for (let second = 0; second < seconds; second += 1) window.add({ cpuPercent, memoryPercent: cpuPercent / 2, ms: 1_000 })
}

test('the average is that of the window, or of as much of it as there is', () => {
  const window = new UsageWindow()
  expect(window.average(5)).toBeUndefined()

  fill(window, 60, 100)
  expect(window.average(5)).toEqual({ cpuPercent: 100, memoryPercent: 50, overSeconds: 60 })
  fill(window, 240, 0)

  expect(window.average(5)).toEqual({ cpuPercent: 20, memoryPercent: 10, overSeconds: 300 })
  expect(window.average(1)).toMatchObject({ cpuPercent: 0, overSeconds: 60 })
})

test('a sample counts for as long as it stands for, but a machine that slept was not busy all the time', () => {
  const window = new UsageWindow()
  window.add({ cpuPercent: 90, memoryPercent: 0, ms: 2_000 })
  window.add({ cpuPercent: 0, memoryPercent: 0, ms: 1_000 })
  expect(window.average(1)?.cpuPercent).toBe(60)

  window.add({ cpuPercent: 100, memoryPercent: 0, ms: 3_600_000 })
  expect(window.average(1)).toMatchObject({ overSeconds: 13 })
})

test('an hour is kept and no more', () => {
  const window = new UsageWindow()
  fill(window, 10_000, 100)
  fill(window, 3_600, 10)

  expect(window.average(60)).toEqual({ cpuPercent: 10, memoryPercent: 5, overSeconds: 3_600 })
})

test('a window that was changed counts at once, from the samples there are', async () => {
  const clock = new HandClock()
  let cpuPercent = 100
  const rest = { cores: 2, networkInBytesPerSecond: 0, networkOutBytesPerSecond: 0, networkReason: null }
  const measure = () => ({ cpuPercent, totalMemoryBytes: 100, availableMemoryBytes: 25, ...rest })
  const usage = new Usage({ measure, clock, log: silentLog })
  await usage.start()
  await clock.advance(120_000)
  cpuPercent = 0
  await clock.advance(60_000)

  expect(usage.facts).toMatchObject({ cpuPercent: 0, averages: { cpuPercent: 66.7, memoryPercent: 75, overSeconds: 180 } })
  expect(usage.average(1)).toBe(true)
  expect(usage.average(1)).toBe(false)
  expect(usage.facts.averages).toMatchObject({ cpuPercent: 0, overSeconds: 60 })
  await usage.stop()
})
