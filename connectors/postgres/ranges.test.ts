import fc from 'fast-check'
import { expect, test } from 'vitest'
import { evenBounds, histogramBounds, keyParts, pageParts, partsBySize, type Range, whereOf } from './ranges.ts'

const whole = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })

test('even bounds rise, lie inside, and are as many as the values allow', () => {
  fc.assert(
    fc.property(whole, whole, fc.integer({ min: 1, max: 256 }), (a, b, parts) => {
      const [low, high] = a < b ? [a, b] : [b, a]
      const bounds = evenBounds(low, high, parts)

      expect(bounds.every((bound, i) => bound > (bounds[i - 1] ?? low) && bound <= high)).toBe(true)
      expect(bounds.length).toBe(Number(high - low + 1n < BigInt(parts) ? high - low + 1n : BigInt(parts)) - 1)
    }),
  )
})

test('bounds from a histogram rise', () => {
  fc.assert(
    fc.property(fc.array(whole, { minLength: 2, maxLength: 101 }), fc.integer({ min: 2, max: 64 }), (values, parts) => {
      const sorted = values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
      const bounds = histogramBounds(sorted, parts)

      expect(bounds.every((bound, i) => bound > (bounds[i - 1] ?? sorted[0] ?? 0n))).toBe(true)
      expect(bounds.length).toBeLessThan(parts)
    }),
  )
})

test('the parts of a key leave no value out and take none twice', () => {
  const parts = keyParts({
    column: 'id',
    type: 'bigint',
    bounds: ['10', '20'],
    low: '1',
    high: '30',
    before: (bound) => String(Number(bound) - 1),
    rows: 30,
  })
  const holds = (value: number) =>
    parts.filter(({ own }) => {
      const range = own as Extract<Range, { by: 'key' }>
      return (range.from === null || value >= Number(range.from)) && (range.below === null || value < Number(range.below))
    })

  expect(parts.map((part) => part.name)).toEqual(['id 1 to 9', 'id 10 to 19', 'id 20 to 30'])
  for (const value of [-1_000, 1, 9, 10, 19, 20, 30, 1_000]) expect(holds(value)).toHaveLength(1)
})

test('the last part of pages is open: the table may have grown', () => {
  const parts = pageParts(100, 4, 1_000)

  expect(parts.map((part) => part.name)).toEqual(['pages 0 to 24', 'pages 25 to 49', 'pages 50 to 74', 'pages 75 to 99'])
  expect(parts.map((part) => whereOf(part.own as Range))).toEqual([
    ` where ctid < '(25,0)'::tid`,
    ` where ctid >= '(25,0)'::tid and ctid < '(50,0)'::tid`,
    ` where ctid >= '(50,0)'::tid and ctid < '(75,0)'::tid`,
    ` where ctid >= '(75,0)'::tid`,
  ])
})

test('a bound is quoted and its type is checked', () => {
  const range = (from: string, type: string): Range => ({ by: 'key', column: 'a"b', type, from, below: null })

  expect(whereOf(range(`1' or true --`, 'bigint'))).toBe(` where "a""b" >= '1'' or true --'::bigint`)
  expect(() => whereOf(range('1', 'bigint; drop table t'))).toThrow(RangeError)
})

test('without a wish there is one part per 500,000 rows or 128 MB, at most 256', () => {
  expect([partsBySize(null, null), partsBySize(500_001, 1), partsBySize(1, 600_000_000), partsBySize(1e12, 1)]).toEqual([1, 2, 5, 256])
})
