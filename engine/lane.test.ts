import type { Encoding, Shape } from '@postern/connectors/contract.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chooseLane } from './lane.ts'

const shapeOf = (kind: string, encodings: readonly Encoding[]): Shape => {
  return { title: 'orders', columns: [], key: [], estimatedRows: null, estimatedBytes: null, kind, encodings, own: null }
}
const all: readonly Encoding[] = ['pg-binary', 'pg-text', 'csv']

describe('the lane of a copy', () => {
  test('between equal kinds is the one that the sink likes best', () => {
    const lane = chooseLane({ shape: shapeOf('postgres', all), sinkKind: 'postgres', accepted: all, to: 'orders' })

    expect(lane).toMatchObject({ encoding: 'pg-binary', name: 'binary' })
  })

  test('never is binary between different kinds, whatever they claim', () => {
    const lane = chooseLane({ shape: shapeOf('postgres', all), sinkKind: 'mysql', accepted: all, to: 'orders' })

    expect(lane).toMatchObject({ encoding: 'pg-text', name: 'text' })
  })

  test.each([
    ['orders.csv', 'text'],
    ['orders.csv.gz', 'text'],
    ['orders.parquet', 'columnar'],
    ['orders.ndjson.zst', 'columnar'],
  ])('from a database into %s is %s', (to, name) => {
    const lane = chooseLane({ shape: shapeOf('postgres', all), sinkKind: 'files', accepted: ['csv'], to })

    expect(lane).toMatchObject({ encoding: 'csv', name })
  })

  test('out of files is columnar', () => {
    expect(chooseLane({ shape: shapeOf('files', ['csv']), sinkKind: 'postgres', accepted: ['csv'], to: 'orders' }).name).toBe('columnar')
  })

  test('does not exist where nothing is common, and says what each end has', () => {
    expect(() => chooseLane({ shape: shapeOf('files', ['csv']), sinkKind: 'odd', accepted: [], to: 'x' })).toThrow(
      'files gives csv, odd takes nothing',
    )
  })

  test('is always one that both ends have, and exists whenever there is one', () => {
    const encodings = fc.shuffledSubarray([...all])
    const kind = fc.constantFrom('postgres', 'files')
    fc.assert(
      fc.property(encodings, encodings, kind, kind, (offered, accepted, sourceKind, sinkKind) => {
        const common = accepted.filter((each) => offered.includes(each) && (each !== 'pg-binary' || sourceKind === sinkKind))
        const choose = () => chooseLane({ shape: shapeOf(sourceKind, offered), sinkKind, accepted, to: 'x' })
        if (common.length === 0) expect(choose).toThrow()
        else expect(choose().encoding).toBe(common[0])
      }),
    )
  })
})
