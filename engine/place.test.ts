import { expect, test } from 'vitest'
import { samePlace } from './place.ts'

test.each([
  ['orders', 'orders'],
  ['public.orders', 'PUBLIC."orders"'],
  ['./a/b.csv', 'a/b.csv'],
  ['a/', 'a'],
  ['a/*.csv', 'a/'],
])('%s and %s are the same place', (from, to) => {
  expect(samePlace(from, to)).toBe(true)
})

test.each([
  ['orders', 'orders2'],
  ['(select * from orders)', 'orders'],
  ['a/*.csv', 'b/'],
  ['a/x*.csv', 'a/all.parquet'],
])('%s and %s are two places', (from, to) => {
  expect(samePlace(from, to)).toBe(false)
})
