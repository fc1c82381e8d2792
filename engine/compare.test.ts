import type { Digest } from '@postern/connectors/contract.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compare, partsThatDiffer } from './compare.ts'

const digest = fc.record<Digest>({ rows: fc.nat({ max: 3 }), checksum: fc.option(fc.constantFrom('1', '2')) })

describe('a comparison', () => {
  test('of counts passes exactly when the counts are equal', () => {
    fc.assert(
      fc.property(digest, digest, (source, target) => {
        const { status } = compare({ method: 'counts', source, target, notes: [] })

        expect(status === 'passed').toBe(source.rows === target.rows)
      }),
    )
  })

  test('of checksums passes only when both are there, and equal, and the counts too', () => {
    fc.assert(
      fc.property(digest, digest, (source, target) => {
        const { status } = compare({ method: 'checksum', source, target, notes: [] })

        const equal = source.checksum !== null && source.checksum === target.checksum && source.rows === target.rows
        expect(status === 'passed').toBe(equal)
      }),
    )
  })

  test('that failed always says what differs', () => {
    fc.assert(
      fc.property(digest, digest, fc.constantFrom('counts' as const, 'checksum' as const), (source, target, method) => {
        const { status, notes } = compare({ method, source, target, notes: [] })

        expect(notes.length > 0).toBe(status === 'failed')
      }),
    )
  })
})

test('the parts that differ are named with their figures', () => {
  const parts = [
    { name: 'a', source: 1, target: 1 },
    { name: 'b', source: 5, target: 4 },
  ]

  expect(partsThatDiffer(parts, 2)).toEqual(['Part "b": 5 rows in the source, 4 in its commit record.'])
  expect(partsThatDiffer(parts.slice(0, 1), 2)).toEqual([
    'No part of the first 1 of 2 parts differs in its number of rows: look for values that differ.',
  ])
})
