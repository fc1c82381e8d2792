import { expect, test } from 'vitest'
import { bytes, percent, rate } from './figures.ts'

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
