import { ByteWriter } from './byte-writer.ts'
import type { CellColumn, RowEncoder } from './encoder.ts'

const QUOTE = 0x22
const COMMA = 0x2c
const NEWLINE = 0x0a

/** RFC 4180 with "\n", as PostgreSQL's COPY writes it: NULL is nothing, the empty string is `""`. */
export class CsvEncoder implements RowEncoder {
  readonly out = new ByteWriter()
  readonly #single: boolean

  constructor(columns: readonly CellColumn[], options: { readonly header: boolean }) {
    this.#single = columns.length === 1
    if (options.header) this.out.bytes(csvHeader(columns.map((column) => column.name)))
  }

  row(data: Buffer, cells: Int32Array): void {
    const { out } = this
    for (let i = 0; i < cells.length; i += 2) {
      if (i > 0) out.byte(COMMA)
      const start = cells[i] ?? -1
      if (start >= 0) writeField(out, data, start, cells[i + 1] ?? start, this.#single)
    }
    out.byte(NEWLINE)
  }

  end(): void {}
}

/** The first line; no columns, no line. */
export function csvHeader(names: readonly string[]): Buffer {
  if (names.length === 0) return Buffer.alloc(0)
  const out = new ByteWriter()
  names.forEach((name, i) => {
    if (i > 0) out.byte(COMMA)
    const data = Buffer.from(name)
    writeField(out, data, 0, data.length, false)
  })
  out.byte(NEWLINE)
  return out.take() ?? Buffer.alloc(0)
}

function writeField(out: ByteWriter, data: Buffer, start: number, end: number, single: boolean): void {
  if (!mustQuote(data, start, end, single)) {
    out.copy(data, start, end)
    return
  }
  out.byte(QUOTE)
  let from = start
  for (let i = start; i < end; i += 1) {
    if (data[i] !== QUOTE) continue
    out.copy(data, from, i + 1)
    from = i
  }
  out.copy(data, from, end)
  out.byte(QUOTE)
}

function mustQuote(data: Buffer, start: number, end: number, single: boolean): boolean {
  if (start === end) return true
  // A line of only `\.` ends the data for older readers of COPY.
  if (single && end - start === 2 && data[start] === 0x5c && data[start + 1] === 0x2e) return true
  for (let i = start; i < end; i += 1) {
    const byte = data[i] ?? 0
    if (byte <= COMMA && (byte === COMMA || byte === QUOTE || byte === NEWLINE || byte === 0x0d)) return true
  }
  return false
}
