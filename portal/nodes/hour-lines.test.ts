import { expect, test } from 'vitest'
import { CHART, HOUR_MS, linesOf, roundTop, sampleAt, spoken } from './hour-lines.ts'

const UNTIL = 10 * HOUR_MS

test('a line ends at the right edge, and an hour ago is the left one', () => {
  expect(linesOf([UNTIL - HOUR_MS, UNTIL - HOUR_MS / 2, UNTIL], [0, 50, 100], 100, UNTIL)).toEqual([
    `0,${CHART.height - 1} ${CHART.width / 2},48 ${CHART.width},1`,
  ])
})

test('where a node was away the line has a gap, and nothing older than an hour is drawn', () => {
  const at = [UNTIL - 2 * HOUR_MS, UNTIL - 20_000, UNTIL - 15_000, UNTIL - 10_000, UNTIL - 5_000, UNTIL]
  expect(linesOf(at, [1, 1, 1, null, 1, 1], 1, UNTIL)).toHaveLength(2)
  expect(linesOf(at, [1, null, null, null, null, 1], 1, UNTIL)).toEqual([])
})

test('what lies under the pointer is the nearest sample', () => {
  const at = [UNTIL - HOUR_MS, UNTIL - HOUR_MS / 2, UNTIL]
  expect([sampleAt(at, 0.1, UNTIL), sampleAt(at, 0.4, UNTIL), sampleAt(at, 1, UNTIL), sampleAt([], 0.5, UNTIL)]).toEqual([
    0,
    1,
    2,
    undefined,
  ])
})

test.each([
  [[0, null], 1],
  [[3], 5],
  [[17], 20],
  [[5_100_000], 10_000_000],
  [[200], 200],
])('nothing of %j is above %i', (figures, top) => expect(roundTop([figures])).toBe(top))

test('an hour is told in words', () => {
  expect(spoken([3, null, 80, 12], (value) => `${value} %`)).toBe('between 3 % and 80 %, last 12 %')
  expect(spoken([null], String)).toBe('no figures yet')
})
