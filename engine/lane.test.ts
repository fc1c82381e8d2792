import type { Encoding, Shape } from '@postern/connectors/contract.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chooseEncoding, laneOf } from './lane.ts'

const shapeOf = (kind: string, encodings: readonly Encoding[]): Shape => {
  return { title: 'orders', columns: [], key: [], estimatedRows: null, estimatedBytes: null, kind, encodings, own: null }
}
const all: readonly Encoding[] = ['pg-binary', 'pg-text', 'csv']

const choose = (shape: Shape, sinkKind: string, accepted: readonly Encoding[]) => chooseEncoding({ shape, sinkKind, accepted, to: 'x' })

describe('the encoding of a copy', () => {
  test('between equal kinds is the one that the sink likes best', () => {
    expect(choose(shapeOf('postgres', all), 'postgres', all)).toBe('pg-binary')
  })

  test('never is binary between different kinds, whatever they claim', () => {
    expect(choose(shapeOf('postgres', all), 'mysql', all)).toBe('pg-text')
  })

  test('does not exist where nothing is common, and says what each end has', () => {
    expect(() => choose(shapeOf('files', ['csv']), 'odd', [])).toThrow('files gives csv, odd takes nothing')
  })

  test('is always one that both ends have, and exists whenever there is one', () => {
    const encodings = fc.shuffledSubarray([...all])
    const kind = fc.constantFrom('postgres', 'files')
    fc.assert(
      fc.property(encodings, encodings, kind, kind, (offered, accepted, sourceKind, sinkKind) => {
        const common = accepted.filter((each) => offered.includes(each) && (each !== 'pg-binary' || sourceKind === sinkKind))
        const chosen = () => choose(shapeOf(sourceKind, offered), sinkKind, accepted)
        if (common.length === 0) expect(chosen).toThrow()
        else expect(chosen()).toBe(common[0])
      }),
    )
  })
})

describe('the lane', () => {
  const lane = (encoding: Encoding, sourceKind: string, title: string, converts?: boolean) =>
    laneOf({ encoding, sourceKind, target: { title, ...(converts === undefined ? {} : { converts }) } }).name

  test.each([
    ['orders.csv', 'text'],
    ['orders.csv.gz', 'text'],
    ['public.orders', 'text'],
    ['orders.parquet', 'columnar'],
    ['orders.ndjson.zst', 'columnar'],
    ['orders.parquet/', 'columnar'],
  ])('from a database into %s is %s', (to, name) => {
    expect(lane('csv', 'postgres', to)).toBe(name)
  })

  test('is as the target says, where it says it', () => {
    expect([lane('csv', 'postgres', 'orders/', true), lane('csv', 'postgres', 'odd.parquet', false)]).toEqual(['columnar', 'text'])
  })

  test('out of files is columnar', () => {
    expect(lane('csv', 'files', 'public.orders')).toBe('columnar')
  })

  test('of the binary encoding is binary', () => {
    expect(lane('pg-binary', 'postgres', 'public.orders')).toBe('binary')
  })
})
