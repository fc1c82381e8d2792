import { expect, test } from 'vitest'
import { RowTable } from './row-table.ts'

test('later pages keep the widths of the first, and a wide value is not cut', () => {
  const table = new RowTable()
  for (let row = 0; row < 1_000; row += 1) table.add(JSON.stringify({ id: row, name: 'x' }))
  const first = table.take()
  table.add(JSON.stringify({ id: 12_345, name: 'longer than before' }))
  const last = table.end()

  expect(first.split('\n').slice(0, 3)).toEqual([' id  name', '---  ----', '  0  x'])
  expect(last).toBe('12345  longer than before\n')
})

test('what would move the cursor is written out', () => {
  const table = new RowTable()
  table.add(JSON.stringify({ a: 'x\u001b[2Jy\nz' }))

  expect(table.end()).toContain('x\\x1b[2Jy\\nz')
})

test('objects are shown as JSON, true and NULL by name', () => {
  const table = new RowTable()
  table.add('{"a":{"b":[1,2]},"c":true,"d":null}')

  expect(table.end().split('\n')[2]).toBe('{"b":[1,2]}  true  NULL')
})
