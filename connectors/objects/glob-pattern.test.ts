import { expect, test } from 'vitest'
import { globPattern } from './glob-pattern.ts'

test('lists only from what every match begins with', () => {
  expect(globPattern('orders/2026-*/x.csv').prefix).toBe('orders/2026-')
  expect(globPattern('{a,b}/x.csv').prefix).toBe('')
})

test.each([
  ['orders/*.csv', 'orders/a b+%.csv', true],
  ['orders/*.csv', 'orders/deep/a.csv', false],
  ['orders/**/*.csv', 'orders/deep/er/a.csv', true],
  ['orders/{a,b}.csv', 'orders/b.csv', true],
  ['orders/[ab].csv', 'orders/c.csv', false],
  ['orders/?.csv', 'orders/é.csv', true],
])('%s and %s: %s', (pattern, path, is) => {
  expect(globPattern(pattern).matches(path)).toBe(is)
})
