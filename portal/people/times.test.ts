import { expect, test } from 'vitest'
import { ago, timeOf } from './times.ts'

const NOW = Date.parse('2026-11-22T12:00:00.000Z')

test('a time is told in the largest unit that fits', () => {
  expect(ago('2026-11-22T11:59:30.000Z', NOW)).toBe('just now')
  expect(ago('2026-11-22T11:55:00.000Z', NOW)).toBe('5 minutes ago')
  expect(ago('2026-11-22T09:30:00.000Z', NOW)).toBe('2 hours ago')
  expect(ago('2026-11-19T12:00:00.000Z', NOW)).toBe('3 days ago')
  expect(ago('2026-11-25T12:00:01.000Z', NOW)).toBe('in 3 days')
})

test('what has not happened is said to be so', () => {
  expect(ago(null, NOW)).toBe('never')
})

test('a time that was set is told in the unit that it is whole in', () => {
  expect([43_200, 604_800, 5_400, 90, 3_600].map(timeOf)).toEqual(['12 hours', '7 days', '90 minutes', '90 seconds', '1 hour'])
})
