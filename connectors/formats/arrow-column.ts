import { int32 } from './int32.ts'
import { daysOfBytes, daysOfText, microsOfBytes, microsOfText, timeOfText } from './time-text.ts'

export type CellWriter = 'bool' | 'int16' | 'int32' | 'int64' | 'float32' | 'float64' | 'date' | 'time' | 'timestamp' | 'bytes' | 'text'

const FIRST_ROWS = 256
const WIDTH = { int16: 2, int32: 4, int64: 8, float32: 4, float64: 8, date: 4, time: 8, timestamp: 8 } as const

/** Whole numbers and floats of so many bytes, as PostgreSQL sends them: the most significant first. */
type Swapped = 0 | 2 | 4 | 8
/** PostgreSQL counts from 2000-01-01, Arrow from 1970-01-01. */
const DAYS_TO_2000 = 10_957
const MICROS_TO_2000 = 946_684_800_000_000
const FAR_INT32 = 2_147_483_647

/**
 * One column of one batch after the other, in Arrow's layout: a bit a row for "not null", then values, or offsets and bytes. Its memory
 * is used again for the next batch: who takes a batch copies it.
 */
export class ArrowColumn {
  length = 0
  nullCount = 0
  readonly #writes: CellWriter
  /** Cells come in PostgreSQL's binary form, not as text. */
  readonly #binary: boolean
  readonly #swapped: Swapped
  readonly #width: number
  #valid = new Uint8Array(FIRST_ROWS / 8)
  #values: Buffer
  #offsets: Int32Array | undefined
  #view: DataView
  #end = 0

  constructor(writes: CellWriter, binary = false) {
    this.#writes = writes
    this.#binary = binary
    this.#swapped = binary ? swappedBytes(writes) : 0
    this.#width = writes === 'bool' || writes === 'text' || writes === 'bytes' ? 0 : WIDTH[writes]
    const variable = writes === 'text' || writes === 'bytes'
    this.#offsets = variable ? new Int32Array(FIRST_ROWS + 1) : undefined
    this.#values = Buffer.alloc(variable ? 4_096 : writes === 'bool' ? FIRST_ROWS / 8 : FIRST_ROWS * WIDTH[writes])
    this.#view = viewOf(this.#values)
  }

  /** start −1: NULL. */
  push(data: Buffer, start: number, end: number): void {
    const row = this.length
    this.length += 1
    if (row >= this.#valid.length * 8) this.#valid = grown(this.#valid, this.#valid.length * 2)
    if (start < 0) this.nullCount += 1
    else this.#valid[row >> 3] = (this.#valid[row >> 3] ?? 0) | (1 << (row & 7))
    if (this.#offsets) this.#pushBytes(this.#offsets, row, data, start, end)
    else if (this.#width > 0) this.#pushNumber(row, data, start, end)
    else this.#pushBool(row, start >= 0 && data[start] === (this.#binary ? 1 : 0x74))
  }

  /** For the next batch. */
  reset(): void {
    const bytes = (this.length + 7) >> 3
    this.#valid.fill(0, 0, bytes)
    if (this.#writes === 'bool') this.#values.fill(0, 0, bytes)
    this.length = 0
    this.nullCount = 0
    this.#end = 0
  }

  validity(): Uint8Array | undefined {
    return this.nullCount === 0 ? undefined : this.#valid.subarray(0, Math.ceil(this.length / 8))
  }

  offsets(): Int32Array | undefined {
    return this.#offsets?.subarray(0, this.length + 1)
  }

  values(): ArrayBufferView {
    const { buffer, byteOffset } = this.#values
    switch (this.#writes) {
      case 'int16':
        return new Int16Array(buffer, byteOffset, this.length)
      case 'int32':
      case 'date':
        return new Int32Array(buffer, byteOffset, this.length)
      case 'int64':
      case 'time':
      case 'timestamp':
        return new BigInt64Array(buffer, byteOffset, this.length)
      case 'float32':
        return new Float32Array(buffer, byteOffset, this.length)
      case 'float64':
        return new Float64Array(buffer, byteOffset, this.length)
      case 'bool':
        return this.#values.subarray(0, Math.ceil(this.length / 8))
      case 'bytes':
      case 'text':
        return this.#values.subarray(0, this.#end)
      default:
        return this.#writes satisfies never
    }
  }

  #pushBytes(given: Int32Array, row: number, data: Buffer, start: number, end: number): void {
    let offsets = given
    if (row + 1 >= offsets.length) {
      offsets = new Int32Array(offsets.length * 2)
      offsets.set(given)
      this.#offsets = offsets
    }
    if (start >= 0) {
      this.#room(this.#end + end - start)
      if (this.#binary || this.#writes === 'text') this.#end += copied(data, start, end, this.#values, this.#end)
      // Bytes are shown as \x and hex digits.
      else this.#end += this.#values.write(data.toString('latin1', start + 2, end), this.#end, 'hex')
    }
    offsets[row + 1] = this.#end
  }

  #pushBool(row: number, value: boolean): void {
    this.#room((row >> 3) + 1)
    if (value) this.#values[row >> 3] = (this.#values[row >> 3] ?? 0) | (1 << (row & 7))
  }

  #pushNumber(row: number, data: Buffer, start: number, end: number): void {
    const width = this.#width
    const at = row * width
    this.#room(at + width)
    const writes = this.#writes
    const values = this.#values
    if (start < 0) for (let i = 0; i < width; i += 1) values[at + i] = 0
    else if (this.#swapped > 0) for (let i = 0, last = at + width - 1; i < width; i += 1) values[last - i] = data[start + i] ?? 0
    else if (this.#binary) this.#setSince2000(at, data, start)
    else if (writes === 'int32') this.#view.setInt32(at, wholeNumber(data, start, end), true)
    else if (writes === 'int16') this.#view.setInt16(at, wholeNumber(data, start, end), true)
    else if (writes === 'int64') this.#setInt64(at, data, start, end)
    else if (writes === 'date') this.#setDate(at, data, start, end)
    else if (writes === 'timestamp') this.#setTimestamp(at, data, start, end)
    else if (writes !== 'bool' && writes !== 'text' && writes !== 'bytes') this.#pushParsed(writes, at, data.toString('latin1', start, end))
  }

  /** Dates and timestamps in binary. Infinity is the largest or the smallest number there is, and stays it. */
  #setSince2000(at: number, data: Buffer, start: number): void {
    const high = int32(data, start)
    if (this.#writes === 'date') {
      const far = high === FAR_INT32 || high === -FAR_INT32 - 1
      this.#view.setInt32(at, far ? (high < 0 ? -FAR_INT32 : FAR_INT32) : high + DAYS_TO_2000, true)
      return
    }
    const low = int32(data, start + 4) >>> 0
    if (high === FAR_INT32 && low === 0xffff_ffff) this.#view.setBigInt64(at, microsOfText('infinity'), true)
    else if (high === -FAR_INT32 - 1 && low === 0) this.#view.setBigInt64(at, microsOfText('-infinity'), true)
    // Exact while it is a safe integer: up to the year 2255.
    else if (high >= -2_000_000 && high < 1_800_000) this.#setSafe(at, high * 4_294_967_296 + low + MICROS_TO_2000)
    else this.#view.setBigInt64(at, ((BigInt(high) << 32n) | BigInt(low)) + BigInt(MICROS_TO_2000), true)
  }

  #pushParsed(writes: 'float32' | 'float64' | 'time', at: number, text: string): void {
    if (writes === 'float32') this.#view.setFloat32(at, Number(text), true)
    else if (writes === 'float64') this.#view.setFloat64(at, Number(text), true)
    else this.#view.setBigInt64(at, timeOfText(text), true)
  }

  #setDate(at: number, data: Buffer, start: number, end: number): void {
    const days = daysOfBytes(data, start, end)
    this.#view.setInt32(at, Number.isNaN(days) ? daysOfText(data.toString('latin1', start, end)) : days, true)
  }

  #setTimestamp(at: number, data: Buffer, start: number, end: number): void {
    const micros = microsOfBytes(data, start, end)
    if (Number.isNaN(micros)) this.#view.setBigInt64(at, microsOfText(data.toString('latin1', start, end)), true)
    else this.#setSafe(at, micros)
  }

  /** Up to 15 digits are exact in a double: no BigInt is made for them. */
  #setInt64(at: number, data: Buffer, start: number, end: number): void {
    if (end - start > 15) {
      this.#view.setBigInt64(at, BigInt(data.toString('latin1', start, end)), true)
      return
    }
    this.#setSafe(at, wholeNumber(data, start, end))
  }

  /** A safe integer, as 64 bits. */
  #setSafe(at: number, value: number): void {
    this.#view.setInt32(at, value | 0, true)
    this.#view.setInt32(at + 4, Math.floor(value / 4_294_967_296), true)
  }

  #room(bytes: number): void {
    if (bytes <= this.#values.length) return
    this.#values = Buffer.from(grown(this.#values, Math.max(bytes, this.#values.length * 2)).buffer)
    this.#view = viewOf(this.#values)
  }
}

function swappedBytes(writes: CellWriter): Swapped {
  switch (writes) {
    case 'int16':
    case 'int32':
    case 'int64':
    case 'float32':
    case 'float64':
    case 'time':
      return WIDTH[writes]
    default:
      return 0
  }
}

/** As copy(), which costs more than it does for a few bytes. */
function copied(data: Buffer, start: number, end: number, to: Buffer, at: number): number {
  const count = end - start
  if (count > 48) return data.copy(to, at, start, end)
  for (let i = 0; i < count; i += 1) to[at + i] = data[start + i] ?? 0
  return count
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Decimal digits with or without a sign, at most 15. */
function wholeNumber(data: Buffer, start: number, end: number): number {
  const negative = data[start] === 0x2d
  let value = 0
  for (let i = negative ? start + 1 : start; i < end; i += 1) value = value * 10 + (data[i] ?? 0x30) - 0x30
  return negative ? -value : value
}

function grown(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length)
  larger.set(bytes)
  return larger
}
