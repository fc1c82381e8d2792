import { parse as parseArray } from 'postgres-array'
import { ByteWriter } from './byte-writer.ts'
import { type CellColumn, type CellKind, distinctNames, type RowEncoder } from './encoder.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const HEX = Buffer.from('0123456789abcdef')
const NULL = Buffer.from('null')
const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')
/** A whole number or decimal of so many digits is exact in an IEEE double. */
const EXACT_DIGITS = 15

/** An array of objects, or one object a line. */
export class JsonEncoder implements RowEncoder {
  readonly out = new ByteWriter()
  readonly #columns: readonly CellColumn[]
  /** `{"id":`, `,"name":` … */
  readonly #keys: readonly Buffer[]
  readonly #lines: boolean
  #first = true

  constructor(columns: readonly CellColumn[], shape: 'json' | 'ndjson') {
    this.#columns = columns
    this.#lines = shape === 'ndjson'
    this.#keys = keysOf(columns)
  }

  row(data: Buffer, cells: Int32Array): void {
    const { out } = this
    if (!this.#lines) out.bytes(this.#first ? OPEN : NEXT)
    this.#first = false
    const columns = this.#columns
    if (columns.length === 0) out.byte(0x7b)
    for (let i = 0; i < columns.length; i += 1) {
      const key = this.#keys[i]
      const column = columns[i]
      if (!key || !column) continue
      out.copy(key, 0, key.length)
      const start = cells[2 * i] ?? -1
      if (start < 0) out.copy(NULL, 0, 4)
      else writeCell(out, column, data, start, cells[2 * i + 1] ?? start)
    }
    out.byte(0x7d)
    if (this.#lines) out.byte(0x0a)
  }

  end(): void {
    if (!this.#lines) this.out.text(this.#first ? '[]\n' : '\n]\n')
  }
}

/** Of the columns of prepared statements, which come again. */
const KEYS = new WeakMap<readonly CellColumn[], readonly Buffer[]>()

function keysOf(columns: readonly CellColumn[]): readonly Buffer[] {
  const known = KEYS.get(columns)
  if (known) return known
  const names = distinctNames(columns.map((column) => column.name))
  const keys = names.map((name, i) => Buffer.from(`${i === 0 ? '{' : ','}${JSON.stringify(name)}:`))
  KEYS.set(columns, keys)
  return keys
}

const OPEN = Buffer.from('[\n')
const NEXT = Buffer.from(',\n')

function writeCell(out: ByteWriter, column: CellColumn, data: Buffer, start: number, end: number): void {
  switch (column.kind) {
    case 'bool':
      if (data[start] === 0x74) out.copy(TRUE, 0, 4)
      else out.copy(FALSE, 0, 5)
      return
    case 'int':
      if (end - start <= EXACT_DIGITS) out.copy(data, start, end)
      else writeNumber(out, data, start, end, EXACT_DIGITS)
      return
    case 'decimal':
      writeNumber(out, data, start, end, EXACT_DIGITS)
      return
    case 'float':
      // However many digits it has, it is the text of exactly this double.
      writeNumber(out, data, start, end, Number.POSITIVE_INFINITY)
      return
    case 'json':
      writeJson(out, data, start, end)
      return
    case 'timestamp':
    case 'timestamptz':
      writeString(out, data, start, end)
      isoInPlace(out, end - start, column.kind)
      return
    case 'array':
      out.text(arrayJson(data.toString('utf8', start, end), column.element ?? 'text'))
      return
    case 'uuid':
    case 'date':
    case 'time':
    case 'bytes':
    case 'text':
      writeString(out, data, start, end)
      return
    default:
      column.kind satisfies never
  }
}

function writeNumber(out: ByteWriter, data: Buffer, start: number, end: number, digits: number): void {
  let seen = 0
  for (let i = start; i < end; i += 1) {
    const byte = data[i] ?? 0
    // Past "I" are the letters of NaN and Infinity, but not "e".
    if (byte >= 0x49 && byte !== 0x65) seen = Number.NaN
    if (byte >= 0x30 && byte <= 0x39) seen += 1
  }
  if (seen <= digits) out.copy(data, start, end)
  else writeString(out, data, start, end)
}

/** json as the store has it, on one line: outside of its strings a line break is only white space. */
function writeJson(out: ByteWriter, data: Buffer, start: number, end: number): void {
  const from = out.length
  out.copy(data, start, end)
  for (let i = from; i < out.length; i += 1) {
    const byte = out.buffer[i]
    if (byte === 0x0a || byte === 0x0d) out.buffer[i] = 0x20
  }
}

/** 1 where a byte of a string cannot stand as it is. */
const ESCAPED = new Uint8Array(256)
for (const byte of [QUOTE, BACKSLASH, ...Array.from({ length: 0x20 }, (_, control) => control)]) ESCAPED[byte] = 1

function writeString(out: ByteWriter, data: Buffer, start: number, end: number): void {
  let clean = start
  while (clean < end && ESCAPED[data[clean] ?? 0] === 0) clean += 1
  out.byte(QUOTE)
  out.copy(data, start, clean)
  if (clean < end) writeEscaped(out, data, clean, end)
  out.byte(QUOTE)
}

function writeEscaped(out: ByteWriter, data: Buffer, start: number, end: number): void {
  out.ensure(end - start + 4_096)
  let { buffer } = out
  let at = out.length
  let room = buffer.length - 8
  for (let i = start; i < end; i += 1) {
    if (at > room) {
      out.length = at
      out.ensure(end - i + 4_096)
      buffer = out.buffer
      room = buffer.length - 8
    }
    const byte = data[i] ?? 0
    if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) {
      buffer[at++] = byte
      continue
    }
    buffer[at++] = BACKSLASH
    if (byte === QUOTE || byte === BACKSLASH) buffer[at++] = byte
    else if (byte === 0x0a) buffer[at++] = 0x6e
    else if (byte === 0x0d) buffer[at++] = 0x72
    else if (byte === 0x09) buffer[at++] = 0x74
    else {
      buffer[at++] = 0x75
      buffer[at++] = 0x30
      buffer[at++] = 0x30
      buffer[at++] = HEX[byte >> 4] ?? 0
      buffer[at++] = HEX[byte & 15] ?? 0
    }
  }
  out.length = at
}

/**
 * The string just written, `"2020-01-02 03:04:05.6+00"`, becomes ISO 8601: "T" for the space, "Z" or "+05:30" or "+02:00" for the zone.
 * Years before Christ, infinity and zones with seconds stay as the store wrote them.
 */
function isoInPlace(out: ByteWriter, length: number, kind: 'timestamp' | 'timestamptz'): void {
  const { buffer } = out
  const start = out.length - 1 - length
  const last = out.length - 2
  // The letter that ends "BC" and the one that ends "infinity".
  if (length < 19 || (buffer[last] ?? 0) > 0x39) return
  const space = buffer.indexOf(0x20, start)
  if (space < 0 || space > last) return
  buffer[space] = 0x54
  if (kind === 'timestamp') return
  const sign = buffer[last - 2]
  if (sign !== 0x2b && sign !== 0x2d) return
  out.length = last + 1
  if (buffer[last] === 0x30 && buffer[last - 1] === 0x30) {
    buffer[last - 2] = 0x5a
    out.length = last - 1
  } else out.text(':00')
  out.byte(QUOTE)
}

/** Nested arrays of JSON text. */
type Fragments = readonly (string | null | Fragments)[]

function arrayJson(text: string, element: CellKind): string {
  const one = new ByteWriter()
  const show = (cell: string) => {
    const data = Buffer.from(cell)
    one.length = 0
    writeCell(one, { name: '', kind: element }, data, 0, data.length)
    return one.buffer.toString('utf8', 0, one.length)
  }
  return joinFragments(parseArray(text, show) as Fragments)
}

function joinFragments(items: Fragments): string {
  const shown = items.map((item) => (item === null ? 'null' : typeof item === 'string' ? item : joinFragments(item)))
  return `[${shown.join(',')}]`
}
