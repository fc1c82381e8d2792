import type { Digest } from '@postern/connectors/copy-contract.ts'
import type { TaskId } from '@postern/protocol/ids.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compare, compareParts, type PartPair, partsThatDiffer } from './compare.ts'

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

const part = (name: string, source: Digest, target: Digest, skipped = 0, leftOut: string | null = null): PartPair => {
  return { task: `tsk_${name}` as TaskId, name, source, target, skipped, leftOut }
}
const rows = (count: number, checksum: string | null = null): Digest => ({ rows: count, checksum })

test('the parts that differ are named with their figures', () => {
  const parts = [part('a', rows(1), rows(1)), part('b', rows(5), rows(4))]

  expect(partsThatDiffer(parts, 2)).toMatchObject({
    notes: ['Part "b": 5 rows in the source, 4 in the target.'],
    parts: [{ status: 'same' }, { status: 'differs', sourceRows: 5, targetRows: 4 }],
  })
  expect(partsThatDiffer(parts.slice(0, 1), 2).notes).toEqual([
    'No part of the first 1 of 2 parts differs in its number of rows: look for values that differ.',
  ])
})

describe('a comparison part by part', () => {
  const compared = (parts: readonly PartPair[], wholeSource: number | null, wholeTarget: number) =>
    compareParts({ parts, wholeSource, wholeTarget: rows(wholeTarget), notes: [] })

  test('passes when every part is the same and no row is outside of them', () => {
    const report = compared([part('a', rows(2, '5'), rows(2, '5')), part('b', rows(1, '7'), rows(1, '7'))], 3, 3)

    expect(report).toMatchObject({ status: 'passed', sourceRows: 3, targetRows: 3, sourceChecksum: '12', targetChecksum: '12', notes: [] })
  })

  test('fails when two parts differ so that the sums are equal', () => {
    const report = compared([part('a', rows(1, '5'), rows(1, '6')), part('b', rows(1, '6'), rows(1, '5'))], 2, 2)

    expect(report.status).toBe('failed')
    expect(report.parts).toMatchObject([{ status: 'differs' }, { status: 'differs' }])
  })

  test('fails when the parts leave rows of the source out', () => {
    expect(compared([part('a', rows(2, '5'), rows(2, '5'))], 3, 2)).toMatchObject({ status: 'failed', parts: [{ status: 'same' }] })
  })

  test('fails when the target has rows that are of no part', () => {
    expect(compared([part('a', rows(2, '5'), rows(2, '5'))], 2, 3).status).toBe('failed')
  })

  test('fails when an end gave no checksum', () => {
    expect(compared([part('a', rows(2), rows(2))], 2, 2).status).toBe('failed')
  })

  test('counts what was left out, and says that its values were not compared', () => {
    const good = compared([part('a', rows(3, '5'), rows(2, '4'), 1)], 3, 2)
    const bad = compared([part('a', rows(3, '5'), rows(1, '4'), 1)], 3, 1)

    expect([good.status, bad.status]).toEqual(['passed', 'failed'])
    expect(good.notes).toEqual([expect.stringContaining('Only the number of rows was compared')])
  })

  test('compares values too where it is known what was left out', () => {
    const good = compared([part('a', rows(3, '9'), rows(2, '4'), 1, '5')], 3, 2)
    const bad = compared([part('a', rows(3, '9'), rows(2, '4'), 1, '6')], 3, 2)

    expect([good.status, bad.status]).toEqual(['passed', 'failed'])
    expect(good.notes).toEqual([])
  })
})
