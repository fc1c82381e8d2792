import { expect, test } from 'vitest'
import { cellOf, isNumeric, planText, ResultRows, type Row, widthsOf } from './result-rows.ts'

test('rows are whole, wherever the chunks are cut', () => {
  const bytes = new TextEncoder().encode('{"a":"é"}\n{"a":"2"}\n{"a":null}')
  const rows = new ResultRows()
  const got = [...bytes].flatMap((byte) => rows.take(Uint8Array.of(byte)))

  expect([...got, ...rows.end()]).toEqual([{ a: 'é' }, { a: '2' }, { a: null }])
  expect(rows.columns).toEqual(['a'])
})

test('columns stand as the statement has them, whatever they are called', () => {
  const rows = new ResultRows()
  rows.take(new TextEncoder().encode('{"name":"a:{","2024":{"2":1,"x":[{"y":2}]},"2023":"\\"}","say \\"1\\"":null}\n'))

  expect(rows.columns).toEqual(['name', '2024', '2023', 'say "1"'])
})

test('a number is shown as the store wrote it', () => {
  const rows = new ResultRows()
  const [row] = rows.take(new TextEncoder().encode('{"price":12.50,"n":7,"far":"12345678901234567890","part":{"x":1.0}}\n'))

  expect(['price', 'n', 'far', 'part'].map((name) => cellOf(row?.[name]))).toEqual([
    { is: 'number', text: '12.50' },
    { is: 'number', text: '7' },
    { is: 'text', text: '12345678901234567890' },
    { is: 'json', text: '{"x":1}' },
  ])
})

test('null is no text, and what has parts is shown as JSON', () => {
  expect(cellOf(null)).toEqual({ is: 'null' })
  expect(cellOf('null')).toEqual({ is: 'text', text: 'null' })
  expect(cellOf({ x: [1] })).toEqual({ is: 'json', text: '{"x":[1]}' })
})

test('a column of numbers may have nulls, and is not one of nulls alone', () => {
  const rows: readonly Row[] = [
    { id: 1, none: null, note: 'x', far: 1, zip: '10115' },
    { id: null, none: null, note: 2, far: '12345678901234567890', zip: '20095' },
  ]

  expect(['id', 'none', 'note', 'far', 'zip'].filter((column) => isNumeric(column, rows))).toEqual(['id', 'far'])
})

test('columns are as wide as their first rows, within bounds', () => {
  expect(widthsOf(['id', 'note'], [{ id: 1, note: 'x'.repeat(500) }])).toEqual([6, 48])
})

test('a plan of lines is one text, one of steps is a table', () => {
  expect(planText(['QUERY PLAN'], [{ 'QUERY PLAN': 'Limit' }, { 'QUERY PLAN': '  ->  Seq Scan' }])).toBe('Limit\n  ->  Seq Scan')
  expect(planText(['id', 'table'], [{ id: 1, table: 'orders' }])).toBeUndefined()
})
