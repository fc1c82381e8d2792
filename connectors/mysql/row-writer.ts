import { ByteWriter } from '../formats/byte-writer.ts'
import type { CellForm } from './cells.ts'

const FORM = { raw: 0, text: 1, bool: 2, hex: 3, utc: 4 } as const satisfies Record<CellForm, number>

const TAB = 0x09
const NEWLINE = 0x0a
const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const HEX = Buffer.from('0123456789abcdef')
const NULL_CELL = 0xfb

/** What follows the backslash in COPY's text; 0: the byte stands as it is. */
const ESCAPES = new Uint8Array(256)
for (const [byte, letter] of [
  [TAB, 't'],
  [NEWLINE, 'n'],
  [0x0d, 'r'],
  [0x08, 'b'],
  [0x0b, 'v'],
  [0x0c, 'f'],
  [BACKSLASH, '\\'],
] as const)
  ESCAPES[byte] = letter.charCodeAt(0)

/** Rows of the text protocol in, lines of COPY's text or of CSV out; a byte is looked at once. */
export class RowWriter {
  readonly out = new ByteWriter()
  readonly #forms: Uint8Array
  readonly #csv: boolean

  constructor(forms: readonly CellForm[], encoding: 'pg-text' | 'csv') {
    this.#forms = Uint8Array.from(forms, (form) => FORM[form])
    this.#csv = encoding === 'csv'
  }

  row(data: Buffer, start: number, end: number): void {
    const { out } = this
    const forms = this.#forms
    const csv = this.#csv
    // At worst each byte becomes two, and each cell gets a separator, quotes or a prefix, and a zone.
    out.ensure((end - start) * 2 + forms.length * 8)
    const { buffer } = out
    const separator = csv ? COMMA : TAB
    let at = out.length
    let from = start
    for (let i = 0; i < forms.length; i += 1) {
      if (i > 0) buffer[at++] = separator
      let length = data[from++] ?? 0
      if (length >= NULL_CELL) {
        if (length === NULL_CELL) {
          if (!csv) {
            buffer[at++] = BACKSLASH
            buffer[at++] = 0x4e
          }
          continue
        }
        const bytes = length === 0xfc ? 2 : length === 0xfd ? 3 : 6
        length = data.readUIntLE(from, bytes)
        from += bytes === 6 ? 8 : bytes
      }
      const to = from + length
      const form = forms[i]
      if (form === FORM.text) at = csv ? quoted(data, from, to, buffer, at) : escaped(data, from, to, buffer, at)
      else if (form === FORM.hex) at = hexed(data, from, to, buffer, at, csv)
      else if (form === FORM.bool && length === 1 && ((data[from] ?? 0) & 0xfe) === 0x30) buffer[at++] = data[from] === 0x31 ? 0x74 : 0x66
      else {
        for (let j = from; j < to; j += 1) buffer[at++] = data[j] ?? 0
        if (form === FORM.utc) at = zoned(buffer, at)
      }
      from = to
    }
    buffer[at++] = NEWLINE
    out.length = at
  }
}

/** Longer clean stretches are worth a copy of the runtime's. */
const COPY_BYTES = 64

function escaped(data: Buffer, from: number, to: number, buffer: Buffer, start: number): number {
  let at = start
  let clean = from
  for (let j = from; j < to; j += 1) {
    const letter = ESCAPES[data[j] ?? 0] ?? 0
    if (letter === 0) continue
    at = copied(data, clean, j, buffer, at)
    buffer[at++] = BACKSLASH
    buffer[at++] = letter
    clean = j + 1
  }
  return copied(data, clean, to, buffer, at)
}

function quoted(data: Buffer, from: number, to: number, buffer: Buffer, start: number): number {
  let at = start
  let clean = from
  buffer[at++] = QUOTE
  for (let j = from; j < to; j += 1) {
    if (data[j] !== QUOTE) continue
    at = copied(data, clean, j + 1, buffer, at)
    clean = j
  }
  at = copied(data, clean, to, buffer, at)
  buffer[at++] = QUOTE
  return at
}

function copied(data: Buffer, from: number, to: number, buffer: Buffer, start: number): number {
  if (to - from >= COPY_BYTES) {
    data.copy(buffer, start, from, to)
    return start + to - from
  }
  let at = start
  for (let j = from; j < to; j += 1) buffer[at++] = data[j] ?? 0
  return at
}

function hexed(data: Buffer, from: number, to: number, buffer: Buffer, start: number, csv: boolean): number {
  let at = start
  if (!csv) buffer[at++] = BACKSLASH
  buffer[at++] = BACKSLASH
  buffer[at++] = 0x78
  for (let j = from; j < to; j += 1) {
    const byte = data[j] ?? 0
    buffer[at++] = HEX[byte >> 4] ?? 0
    buffer[at++] = HEX[byte & 15] ?? 0
  }
  return at
}

function zoned(buffer: Buffer, start: number): number {
  buffer[start] = 0x2b
  buffer[start + 1] = 0x30
  buffer[start + 2] = 0x30
  return start + 3
}
