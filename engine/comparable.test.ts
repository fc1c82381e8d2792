import type { Column, LogicalType } from '@postern/connectors/copy-contract.ts'
import { describe, expect, test } from 'vitest'
import { comparable } from './comparable.ts'

const column = (type: LogicalType, native: string = type.is): Column => ({ name: 'x', type, native, nullable: true })
const pair = (from: Column, into: Column) => comparable([from], [into])

describe('columns are compared', () => {
  test('when both ends have the same type', () => {
    const from = column({ is: 'timestamptz' })

    expect(pair(from, from)).toEqual({ source: [from], target: [from], leftOut: [] })
  })

  test('at the larger scale when decimals differ in scale', () => {
    const { source, target } = pair(column({ is: 'int32' }), column({ is: 'decimal', precision: 12, scale: 2 }))

    expect([source[0]?.type, target[0]?.type]).toEqual([
      { is: 'decimal', scale: 2 },
      { is: 'decimal', scale: 2 },
    ])
  })

  test('when what was whole is text in the target', () => {
    expect(pair(column({ is: 'int64' }), column({ is: 'text' })).leftOut).toEqual([])
  })
})

describe('columns are left out and named', () => {
  test.each<[string, Column, Column]>([
    ['a double out of a decimal', column({ is: 'decimal', scale: 2 }), column({ is: 'float64' })],
    ['a text out of a timestamp', column({ is: 'timestamp' }), column({ is: 'text' })],
    ['jsonb out of json', column({ is: 'json' }, 'json'), column({ is: 'json' }, 'jsonb')],
    ['padded text', column({ is: 'text' }), column({ is: 'text' }, 'character(10)')],
    ['a decimal of no bound out of a bounded one', column({ is: 'decimal', scale: 2 }), column({ is: 'decimal' })],
  ])('%s', (_what, from, into) => {
    expect(pair(from, into)).toMatchObject({ source: [], leftOut: [`x (${from.native} → ${into.native})`] })
  })

  test('one that the target does not have', () => {
    expect(comparable([column({ is: 'text' })], []).leftOut).toEqual(['x (text → nothing)'])
  })
})
