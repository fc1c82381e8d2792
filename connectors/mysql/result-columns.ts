import type { QueryFormat } from '@postern/protocol/api/queries.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { CellColumn } from '../formats/encoder.ts'
import type { Field } from './packets.ts'

type Kind = Pick<CellColumn, 'kind' | 'bits'>
/** What must be done to a cell's bytes before a format can show them. */
type Change = 'none' | 'hex' | 'bits' | 'utc' | 'zeros'

interface ResultColumn {
  readonly column: CellColumn
  readonly change: Change
  readonly dated: boolean
}

const UNSIGNED = 0x20
const ZEROFILL = 0x40
const BINARY = 63
const TEXTS: ReadonlySet<number> = new Set([15, 249, 250, 251, 252, 253, 254])

/** By the number of the type in a column's definition. Whole numbers without a sign take the next wider. */
function kindOf({ type, flags, charset, format }: Field): Kind & { readonly change?: Change } {
  const unsigned = (flags & UNSIGNED) !== 0
  switch (type) {
    case 0x01:
    case 0x0d:
      return { kind: 'int', bits: 16 }
    case 0x02:
      return { kind: 'int', bits: unsigned ? 32 : 16 }
    case 0x03:
      return { kind: 'int', bits: unsigned ? 64 : 32 }
    case 0x09:
      return { kind: 'int', bits: 32 }
    case 0x08:
      return unsigned ? { kind: 'decimal' } : { kind: 'int', bits: 64 }
    case 0x04:
      return { kind: 'float', bits: 32 }
    case 0x05:
      return { kind: 'float', bits: 64 }
    case 0x00:
    case 0xf6:
      return { kind: 'decimal' }
    case 0x0a:
    case 0x0e:
      return { kind: 'date' }
    case 0x07:
      return { kind: 'timestamptz', change: 'utc' }
    case 0x0c:
      return { kind: 'timestamp' }
    case 0x10:
      return { kind: 'decimal', change: 'bits' }
    case 0xf5:
      return { kind: 'json' }
    case 0xff:
      return { kind: 'bytes', change: 'hex' }
    default:
      if (format === 'json') return { kind: 'json' }
      return TEXTS.has(type) && charset === BINARY ? { kind: 'bytes', change: 'hex' } : { kind: 'text' }
  }
}

/** Numbers filled up with zeros are no numbers of JSON. */
function zerosOf({ flags, type }: Field): Change {
  return (flags & ZEROFILL) !== 0 && !TEXTS.has(type) ? 'zeros' : 'none'
}

const DATED: ReadonlySet<string> = new Set(['date', 'timestamp', 'timestamptz'])
const HEX = Buffer.from('0123456789abcdef')

/** Finds the cells of rows in their packets, as the encoders of the formats take them. */
export class ResultCells {
  readonly columns: readonly CellColumn[]
  readonly cells: Int32Array
  /** Where the last row's cells lie: its packet, or bytes of ours where some had to be changed. */
  data: Buffer = Buffer.alloc(0)
  readonly #shown: readonly ResultColumn[]
  readonly #changes: boolean
  readonly #strictDates: boolean
  #scratch: Buffer = Buffer.allocUnsafe(4_096)

  constructor(fields: readonly Field[], format: QueryFormat) {
    this.#shown = fields.map((field) => {
      const { change = zerosOf(field), ...kind } = kindOf(field)
      return { column: { name: field.name, ...kind }, change, dated: DATED.has(kind.kind) }
    })
    this.columns = this.#shown.map(({ column }) => column)
    this.cells = new Int32Array(fields.length * 2)
    this.#changes = this.#shown.some(({ change }) => change !== 'none')
    // Arrow has days, not texts: there is no day 0.
    this.#strictDates = format === 'arrow' && this.#shown.some(({ dated }) => dated)
  }

  take(buffer: Buffer, start: number, end: number): void {
    this.#find(buffer, start)
    this.data = buffer
    if (this.#strictDates) this.#refuseZeroDates(buffer)
    if (this.#changes) this.#change(buffer, start, end)
  }

  #find(buffer: Buffer, start: number): void {
    const { cells } = this
    let at = start
    for (let i = 0; i < cells.length; i += 2) {
      let length = buffer[at] ?? 0
      at += 1
      if (length === 0xfb) {
        cells[i] = -1
        continue
      }
      if (length > 0xfb) {
        const bytes = length === 0xfc ? 2 : length === 0xfd ? 3 : 6
        length = buffer.readUIntLE(at, bytes)
        at += bytes === 6 ? 8 : bytes
      }
      cells[i] = at
      at += length
      cells[i + 1] = at
    }
  }

  /** The row's own bytes, and after them those of the changed cells. */
  #change(buffer: Buffer, start: number, end: number): void {
    const { cells } = this
    const most = (end - start) * 3 + cells.length * 20
    if (this.#scratch.length < most) this.#scratch = Buffer.allocUnsafe(most * 2)
    const scratch = this.#scratch
    buffer.copy(scratch, 0, start, end)
    let at = end - start
    for (let i = 0; i < this.#shown.length; i += 1) {
      const from = cells[2 * i] ?? -1
      if (from < 0) continue
      const to = cells[2 * i + 1] ?? from
      const change = this.#shown[i]?.change ?? 'none'
      if (change === 'none') {
        cells[2 * i] = from - start
        cells[2 * i + 1] = to - start
        continue
      }
      cells[2 * i] = at
      at = changed(change, buffer, from, to, scratch, at)
      cells[2 * i + 1] = at
    }
    this.data = scratch
  }

  #refuseZeroDates(buffer: Buffer): void {
    for (let i = 0; i < this.#shown.length; i += 1) {
      const from = this.cells[2 * i] ?? -1
      if (from < 0 || !this.#shown[i]?.dated || !isZeroDate(buffer, from)) continue
      throw new Fault('QUERY_FAILED', {
        at: `Column ${this.#shown[i]?.column.name} has the date ${buffer.toString('latin1', from, from + 10)}, which Arrow cannot hold.`,
        remedy: 'Take nullif(column, 0), or another format.',
      })
    }
  }
}

/** "0000-00-00", "2020-00-01", "2020-01-00", and the year 0. */
function isZeroDate(buffer: Buffer, at: number): boolean {
  const zeros = (i: number) => buffer[at + i] === 0x30 && buffer[at + i + 1] === 0x30
  return zeros(5) || zeros(8) || (zeros(0) && zeros(2))
}

function changed(change: Change, buffer: Buffer, from: number, to: number, out: Buffer, start: number): number {
  let at = start
  if (change === 'utc') {
    buffer.copy(out, at, from, to)
    return at + to - from + out.write('+00', at + to - from, 'latin1')
  }
  if (change === 'zeros') {
    let first = from
    while (first < to - 1 && buffer[first] === 0x30 && buffer[first + 1] !== 0x2e) first += 1
    buffer.copy(out, at, first, to)
    return at + to - first
  }
  if (change === 'bits') {
    const hex = buffer.toString('hex', from, to)
    return at + out.write(String(BigInt(`0x${hex || '0'}`)), at, 'latin1')
  }
  out[at++] = 0x5c
  out[at++] = 0x78
  for (let i = from; i < to; i += 1) {
    const byte = buffer[i] ?? 0
    out[at++] = HEX[byte >> 4] ?? 0
    out[at++] = HEX[byte & 15] ?? 0
  }
  return at
}
