import { expect, test } from 'vitest'
import { paces, type Sample, withSample } from './run-history.ts'

const samples = (...rows: readonly number[]) => rows.map((count, index): Sample => ({ at: index * 1_000, rows: count, bytes: count * 10 }))

test('the pace is taken over three seconds, over less at the beginning', () => {
  expect(paces(samples(0, 30, 30, 90, 150)).map(({ rowsPerSecond }) => rowsPerSecond)).toEqual([30, 15, 30, 40])
  expect(paces(samples(0, 30))).toEqual([{ rowsPerSecond: 30, bytesPerSecond: 300 }])
  expect(paces(samples(5))).toEqual([])
})

test('the same figures are taken once, and two minutes of them are kept', () => {
  const [one, two] = samples(1, 2) as [Sample, Sample]

  expect(withSample([one, two], two)).toEqual([one, two])
  const long = samples(...Array.from({ length: 200 }, (_, index) => index)).reduce<readonly Sample[]>(withSample, [])
  expect([long.length, long.at(-1)?.rows]).toEqual([120, 199])
})

test('a run that starts over starts a new history', () => {
  expect(withSample(samples(5, 10), { at: 5_000, rows: 0, bytes: 0 })).toEqual([{ at: 5_000, rows: 0, bytes: 0 }])
})
