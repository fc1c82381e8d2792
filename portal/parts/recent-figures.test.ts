import type { FigureColumns } from '@postern/protocol/api/node-history.ts'
import { expect, test } from 'vitest'
import { figuresOf, figuresOfAll, type Measured, slotAt, withKept, withNow } from './recent-figures.ts'

const now = (cpuPercent: number, live = true): Measured => ({
  ...{ id: 'nod_1', name: 'n1', live, availableMemoryBytes: 8, totalMemoryBytes: 16, cpuPercent },
  ...{ networkInBytesPerSecond: 1, networkOutBytesPerSecond: 2, runningJobs: 3, jobLimit: 4, runningQueries: 5, queryLimit: 6 },
})

const columns = (...cpuPercent: readonly (number | null)[]): FigureColumns => ({
  cpuPercent: [...cpuPercent],
  availableMemoryBytes: cpuPercent.map((one) => one && 100),
  networkInBytesPerSecond: cpuPercent.map((one) => one && 10),
  networkOutBytesPerSecond: cpuPercent.map((one) => one && 5),
  runningJobs: cpuPercent.map((one) => one && 1),
  runningQueries: cpuPercent.map((one) => one && 2),
})

test('a slot is five seconds', () => {
  expect([slotAt(0), slotAt(4_999), slotAt(5_000)]).toEqual([0, 0, 1])
})

test('of a slot the first figures count, so that the line is drawn once', () => {
  const first = withNow(undefined, now(10), 7)
  expect(withNow(first, now(20), 7)).toBe(first)
  expect(withNow(first, now(30), 8).figures).toEqual({ cpu: [10, 30], memory: [8, 8], network: [3, 3], jobs: [3, 3], queries: [5, 5] })
})

test('while nobody looked, or it was away, there is a gap', () => {
  const line = withNow(withNow(withNow(undefined, now(10), 1), now(20), 4), now(0, false), 5)
  expect(line.figures.cpu).toEqual([10, null, null, 20, null])
})

test('five minutes are kept, and a page that slept for a day has the same', () => {
  let line = withNow(undefined, now(0), 0)
  for (let slot = 1; slot <= 100; slot += 1) line = withNow(line, now(slot), slot)
  expect([line.figures.cpu.length, line.figures.cpu[0], line.figures.cpu.at(-1)]).toEqual([60, 41, 100])
  expect(withNow(line, now(7), 20_000).figures.cpu).toEqual([...Array.from({ length: 59 }, () => null), 7])
})

test('what the service kept stands before what came since, and in the gaps', () => {
  const kept = figuresOf(columns(1, 2, 3))
  expect(withKept(withNow(undefined, now(9), 10), kept, 9).figures.cpu).toEqual([1, 2, 3, 9])

  const gap = withNow(withNow(undefined, now(8), 10), now(9), 13)
  expect(withKept(gap, kept, 12).figures.cpu).toEqual([8, 2, 3, 9])
  expect(withKept(gap, kept, 9).figures.cpu).toEqual([1, 2, 3, 8, null, null, 9])
  expect(withKept(gap, kept, 14).figures.cpu).toEqual([8, null, 1, 9])
  expect(withKept(gap, figuresOf(columns()), 12).figures.cpu).toEqual(gap.figures.cpu)
})

test('of a kept hour the last five minutes are drawn', () => {
  const hour = figuresOf(columns(...Array.from({ length: 720 }, (_, index) => index)))
  const { cpu } = withKept(withNow(undefined, now(9), 10_000), hour, 9_999).figures
  expect([cpu.length, cpu[0], cpu.at(-2), cpu.at(-1)]).toEqual([60, 661, 719, 9])
})

test('a gateway is the average of its nodes in CPU and their sum in the rest, of those that were there', () => {
  expect(figuresOfAll([columns(10, 20, null), columns(40), columns(30, null, null)])).toEqual({
    ...{ cpu: [20, 20, 40], memory: [200, 100, 100], network: [30, 15, 15], jobs: [2, 1, 1], queries: [4, 2, 2] },
  })
  expect(figuresOfAll([columns(null)]).cpu).toEqual([null])
  expect(figuresOfAll([]).cpu).toEqual([])
})
