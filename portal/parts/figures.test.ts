import { expect, test } from 'vitest'
import { bytes, count, duration, percent, rate } from './figures.ts'

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_000, '1.00 kB'],
  [1_234_567, '1.23 MB'],
  [24_200_000_000, '24.2 GB'],
  [999_000_000_000, '999 GB'],
])('%i bytes are %s', (value, text) => expect(bytes(value)).toBe(text))

test('a rate is bytes a second, a share is whole percent', () => {
  expect(rate(2_500)).toBe('2.50 kB/s')
  expect(percent(41.6)).toBe('42 %')
})

test.each([
  [0, '0 ms'],
  [999.6, '1.0 s'],
  [59_940, '59.9 s'],
  [59_960, '1 m 00 s'],
  [245_000, '4 m 05 s'],
  [12_000_000, '3 h 20 m'],
  [187_200_000, '2 d 4 h'],
])('%d milliseconds are %s', (ms, text) => expect(duration(ms)).toBe(text))

test('large counts are grouped', () => expect(count(1_234_567.4)).toBe('1,234,567'))
