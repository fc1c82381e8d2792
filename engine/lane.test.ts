import type { Encoding, Shape } from '@postern/connectors/copy-contract.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { commonEncodings, laneOf } from './lane.ts'

const shapeOf = (kind: string, encodings: readonly Encoding[]): Shape => {
  return { title: 'orders', columns: [], key: [], estimatedRows: null, estimatedBytes: null, kind, encodings, own: null }
}
const all: readonly Encoding[] = ['pg-binary', 'pg-text', 'csv']

const choose = (shape: Shape, sinkKind: string, accepted: readonly Encoding[]) => commonEncodings({ shape, sinkKind, accepted, to: 'x' })

describe('the encodings of a copy', () => {
  test('come cheapest first, in whatever order the ends name them', () => {
    expect(choose(shapeOf('postgres', all), 'postgres', all.toReversed())).toEqual(['pg-binary', 'pg-text', 'csv'])
  })

  test('never have the binary one between different kinds, whatever they claim', () => {
    expect(choose(shapeOf('postgres', all), 'mysql', all)).toEqual(['pg-text', 'csv'])
  })

  test('do not exist where nothing is common, and the fault says what each end has', () => {
    expect(() => choose(shapeOf('files', ['csv']), 'odd', [])).toThrow('files gives csv, odd takes nothing')
  })

  test('are all that both ends have, and exist whenever there is one', () => {
    const encodings = fc.shuffledSubarray([...all])
    const kind = fc.constantFrom('postgres', 'files')
    fc.assert(
      fc.property(encodings, encodings, kind, kind, (offered, accepted, sourceKind, sinkKind) => {
        const common = all.filter((each) => accepted.includes(each) && offered.includes(each))
        const usable = common.filter((each) => each !== 'pg-binary' || sourceKind === sinkKind)
        const chosen = () => choose(shapeOf(sourceKind, offered), sinkKind, accepted)
        if (usable.length === 0) expect(chosen).toThrow()
        else expect(chosen()).toEqual(usable)
      }),
    )
  })
})

describe('the lane', () => {
  const lane = (encoding: Encoding, sourceKind: string, title: string, converts?: boolean) =>
    laneOf({ sourceKind, target: { title, encoding, ...(converts === undefined ? {} : { converts }) } }).name

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
