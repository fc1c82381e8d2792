import { expect, test } from 'vitest'
import { ago } from './times.ts'

const NOW = Date.parse('2026-11-22T12:00:00.000Z')

test('a time is told in the largest unit that fits', () => {
  expect(ago('2026-11-22T11:59:30.000Z', NOW)).toBe('just now')
  expect(ago('2026-11-22T11:55:00.000Z', NOW)).toBe('5 min. ago')
  expect(ago('2026-11-22T09:30:00.000Z', NOW)).toBe('2 hr. ago')
  expect(ago('2026-11-19T12:00:00.000Z', NOW)).toBe('3 days ago')
  expect(ago('2026-11-25T12:00:01.000Z', NOW)).toBe('in 3 days')
})

test('what has not happened is said to be so', () => {
  expect(ago(null, NOW)).toBe('never')
})
