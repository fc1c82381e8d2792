import type { Part, Shape } from '@postern/connectors/copy-contract.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { largestFirst, wantedParts } from './cut.ts'
import { ENGINE_LIMITS } from './limits.ts'

const shapeOf = (estimatedRows: number | null, estimatedBytes: number | null): Shape => {
  return { title: 't', columns: [], key: [], estimatedRows, estimatedBytes, kind: 'x', encodings: ['csv'], own: null }
}

describe('the number of parts', () => {
  test('is what was asked for', () => {
    expect(wantedParts(7, false, shapeOf(10, 10))).toBe(7)
  })

  test('is one for a single file', () => {
    expect(wantedParts(undefined, true, shapeOf(1e9, 1e12))).toBe(1)
  })

  test('is left to the source when nothing is known of its size', () => {
    expect(wantedParts(undefined, false, shapeOf(null, null))).toBeNull()
  })

  test('follows size, at least one and never without bound', () => {
    const size = fc.option(fc.maxSafeNat())
    fc.assert(
      fc.property(size, size, (rows, bytes) => {
        const wanted = wantedParts(undefined, false, shapeOf(rows, bytes))
        if (rows === null && bytes === null) {
          expect(wanted).toBeNull()
        } else {
          expect(wanted).toBeGreaterThanOrEqual(1)
          expect(wanted).toBeLessThanOrEqual(ENGINE_LIMITS.partsBySize)
        }
      }),
    )
  })
})

describe('the order of parts', () => {
  const parts = fc.array(fc.option(fc.nat({ max: 50 })).map((estimatedRows): Part => ({ name: 'p', estimatedRows, own: null })))

  test('keeps each part and its place in the cut, once', () => {
    fc.assert(
      fc.property(parts, (given) => {
        const specs = largestFirst(given)

        expect(specs.map(({ index }) => index).toSorted((a, b) => a - b)).toEqual(given.map((_, index) => index))
        for (const { index, part } of specs) expect(part).toBe(given[index])
      }),
    )
  })

  test('hands out the largest first, those of unknown size before them', () => {
    fc.assert(
      fc.property(parts, (given) => {
        const sizes = largestFirst(given).map(({ part }) => part.estimatedRows ?? Number.POSITIVE_INFINITY)

        for (const [at, size] of sizes.entries()) expect(size).toBeGreaterThanOrEqual(sizes[at + 1] ?? 0)
      }),
    )
  })
})
