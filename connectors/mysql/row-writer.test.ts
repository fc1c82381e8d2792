import { expect, test } from 'vitest'
import type { CellForm } from './cells.ts'
import { RowWriter } from './row-writer.ts'

/** A row as the server sends it. */
function packet(cells: readonly (string | Buffer | null)[]): Buffer {
  return Buffer.concat(
    cells.flatMap((cell) => {
      if (cell === null) return [Buffer.from([0xfb])]
      const bytes = Buffer.from(cell)
      const size = bytes.length
      const head =
        size < 0xfb ? [size] : size < 0x1_00_00 ? [0xfc, size & 255, size >> 8] : [0xfd, size & 255, (size >> 8) & 255, size >> 16]
      return [Buffer.from(head), bytes]
    }),
  )
}

function written(encoding: 'pg-text' | 'csv', forms: readonly CellForm[], cells: readonly (string | Buffer | null)[]): string {
  const writer = new RowWriter(forms, encoding)
  const row = packet(cells)
  writer.row(Buffer.concat([Buffer.from('before'), row]), 6, 6 + row.length)
  return writer.out.take()?.toString() ?? ''
}

const FORMS = ['raw', 'text', 'bool', 'bool', 'hex', 'utc', 'text'] as const
const CELLS = ['-1.5', 'a\tb\n"c"\\d\r\v\f\b', '1', '5', Buffer.from([0, 255]), '2024-01-02 03:04:05', null]

test("a row becomes a line of COPY's text", () => {
  expect(written('pg-text', FORMS, CELLS)).toBe('-1.5\ta\\tb\\n"c"\\\\d\\r\\v\\f\\b\tt\t5\t\\\\x00ff\t2024-01-02 03:04:05+00\t\\N\n')
})

test('a row becomes a line of CSV, where nothing is not the empty text', () => {
  expect(written('csv', FORMS, CELLS)).toBe('-1.5,"a\tb\n""c""\\d\r\v\f\b",t,5,\\x00ff,2024-01-02 03:04:05+00,\n')
  expect(written('csv', ['text', 'text'], ['', null])).toBe('"",\n')
})

test.each([0xfa, 0xfb, 0xffff, 0x1_00_00, 200_000])('a value of %i bytes comes whole', (size) => {
  const text = 'é'.repeat(size / 2) + (size % 2 === 1 ? 'x' : '')

  expect(written('pg-text', ['text', 'raw'], [text, '7'])).toBe(`${text}\t7\n`)
})
