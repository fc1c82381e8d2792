import { expect, test } from 'vitest'
import { cellOf, columnsOf, isNumeric, ResultRows, widthsOf } from './result-rows.ts'

test('rows are whole, wherever the chunks are cut', () => {
  const bytes = new TextEncoder().encode('{"a":"é"}\n{"a":"2"}\n{"a":null}')
  const rows = new ResultRows()
  const got = [...bytes].flatMap((byte) => rows.take(Uint8Array.of(byte)))

  expect([...got, ...rows.end()]).toEqual([{ a: 'é' }, { a: '2' }, { a: null }])
  expect(columnsOf(got)).toEqual(['a'])
})

test('null is no text, and what has parts is shown as JSON', () => {
  expect(cellOf(null)).toEqual({ is: 'null' })
  expect(cellOf('null')).toEqual({ is: 'text', text: 'null' })
  expect(cellOf({ x: [1] })).toEqual({ is: 'json', text: '{"x":[1]}' })
})

test('a column of numbers may have nulls, and is not one of nulls alone', () => {
  const rows = [
    { id: 1, none: null, note: 'x' },
    { id: null, none: null, note: 2 },
  ]

  expect(['id', 'none', 'note'].filter((column) => isNumeric(column, rows))).toEqual(['id'])
})

test('columns are as wide as their first rows, within bounds', () => {
  expect(widthsOf(['id', 'note'], [{ id: 1, note: 'x'.repeat(500) }])).toEqual([6, 48])
})
