import { expect, test } from 'vitest'
import { splitRecord } from './csv-head.ts'
import { duckFault } from './faults.ts'
import { partsOf } from './folder.ts'
import { endingOf, layoutFor, layoutOf } from './formats.ts'

test('the ending of a name says format and compression', () => {
  expect(layoutOf('a.b.CSV.gz')).toEqual({ format: 'csv', compression: 'gzip' })
  expect(layoutOf('a.jsonl.zst')).toEqual({ format: 'ndjson', compression: 'zstd' })
  expect(layoutOf('a.parquet')).toEqual({ format: 'parquet', compression: 'none' })
  for (const name of ['a', 'csv', 'a.parquet.gz', 'a.csv.bz2', 'a.gz', '.gz']) expect(layoutOf(name)).toBeUndefined()
  expect(layoutFor('log.gz', 'csv', 'log.gz')).toEqual({ format: 'csv', compression: 'gzip' })
  expect(endingOf({ format: 'tsv', compression: 'zstd' })).toBe('.tsv.zst')
  expect(() => layoutFor('x', undefined, 'x')).toThrow(/not known/)
})

test('a path is cut into its steps and never leaves the folder', () => {
  expect(partsOf('./a//b/')).toEqual(['a', 'b'])
  expect(partsOf('')).toEqual([])
  for (const path of ['..', 'a/..', '/a', 'a/../b', 'a\0']) expect(() => partsOf(path)).toThrow(/leads out/)
})

test('a header line is cut at what stands outside of quotes', () => {
  expect(splitRecord('a,"b,""c""",d', ',', { quote: '"', escape: '"' })).toEqual(['a', 'b,"c"', 'd'])
})

test("DuckDB's pages of text become one line without a value of the row", () => {
  const text =
    'Conversion Error: CSV Error on Line: 4\nOriginal Line: zz,secret\nError when converting column "c0". Could not convert string "secret" to \'INTEGER\'\n\n  file = /x/a.csv\n'
  const columns = [{ name: 'id' }]

  expect(duckFault(new Error(text), { at: 'a', columns }).message).toMatch(
    / file a\.csv, line 4, column id: the value is not of type INTEGER\.$/,
  )
  expect(duckFault(new Error('Conversion Error: Could not convert string "secret" to INT32'), { at: 'a' }).message).not.toContain('secret')
  expect(duckFault(new Error('IO Error: Could not write to file: No space left on device'), { at: 'a.csv' }).code).toBe('DISK_FULL')
})
