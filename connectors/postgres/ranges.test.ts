import fc from 'fast-check'
import { expect, test } from 'vitest'
import { conditionsOf, evenBounds, keyParts, pageParts, partsBySize, quantileCut, type Range } from './ranges.ts'

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

test('bounds from quantiles rise, and their shares are those of the rows', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 200 }),
      fc.integer({ min: 2, max: 64 }),
      (values, parts) => {
        const sorted = values.toSorted((a, b) => a - b)
        const { bounds, shares } = quantileCut(sorted.map(String), parts)

        expect(bounds.every((bound, i) => Number(bound) > Number(bounds[i - 1] ?? sorted[0]))).toBe(true)
        expect(bounds.length).toBeLessThan(parts)
        expect(shares).toHaveLength(bounds.length + 1)
        const edges = [Number.NEGATIVE_INFINITY, ...bounds.map(Number), Number.POSITIVE_INFINITY]
        const inside = edges.slice(1).map((below, i) => sorted.filter((value) => value >= (edges[i] ?? 0) && value < below).length)
        expect(shares.map((share) => Math.round(share * sorted.length))).toEqual(inside)
      },
    ),
  )
})

test('a value that most rows have gets a part of its own, as large as it must be', () => {
  const values = [
    ...Array.from({ length: 10 }, (_, i) => `${i}`.padStart(2, '0')),
    ...Array.from({ length: 80 }, () => '50'),
    ...Array.from({ length: 10 }, (_, i) => `${i + 60}`),
  ]

  expect(quantileCut(values, 4)).toEqual({ bounds: ['50'], shares: [0.1, 0.9] })
})

test('the parts of a key leave no value out and take none twice', () => {
  const parts = keyParts({
    column: 'id',
    type: 'bigint',
    cut: { bounds: ['10', '20'], shares: [0.3, 0.3, 0.4] },
    nulls: false,
    told: true,
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
  expect(parts.map((part) => conditionsOf(part.own as Range).join(' and '))).toEqual([
    `ctid < '(25,0)'::tid`,
    `ctid >= '(25,0)'::tid and ctid < '(50,0)'::tid`,
    `ctid >= '(50,0)'::tid and ctid < '(75,0)'::tid`,
    `ctid >= '(75,0)'::tid`,
  ])
})

test('a bound is quoted and its type is checked', () => {
  const range = (from: string, type: string | null): Range => ({ by: 'key', column: 'a"b', type, from, below: null })

  expect(conditionsOf(range(`1' or true --`, 'bigint'))).toEqual([`"a""b" >= '1'' or true --'::bigint`])
  expect(conditionsOf(range(`\\' or true --`, null))).toEqual([`"a""b" >= E'\\\\'' or true --'`])
  expect(() => conditionsOf(range('1', 'bigint; drop table t'))).toThrow(RangeError)
})

test('without a wish there is one part per 500,000 rows or 128 MB, at most 256', () => {
  expect([partsBySize(null, null), partsBySize(500_001, 1), partsBySize(1, 600_000_000), partsBySize(1e12, 1)]).toEqual([1, 2, 5, 256])
})
