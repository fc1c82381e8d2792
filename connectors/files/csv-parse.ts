import { Transform, type TransformCallback } from 'node:stream'
import { Fault } from '@postern/protocol/fault.ts'
import type { LeftOut, SkippedRow } from '../copy-contract.ts'
import type { CsvDialect } from './csv-dialect.ts'

const QUOTE = 0x22
const COMMA = 0x2c
const LINE = 0x0a
const RETURN = 0x0d

/** The longest row that is read. */
const ROW_BYTES = 16 << 20

export interface CsvParseOptions {
  readonly dialect: CsvDialect
  /** As the head of the file has it. */
  readonly delimiter: string
  readonly columns: number
  /** For a fault. */
  readonly file: string
  /** A quote that does not stand around a whole value is refused. */
  readonly strict?: boolean
  /** Rows only, from this line on: the middle of a file. */
  readonly fromLine?: number | undefined
  /** Takes rows that cannot be read; where it is left out, they fail. What cannot be cut into values ends with its first line. */
  readonly left?: LeftOut | undefined
}

/** Files of any dialect, as UTF-8, into the lines of the `csv` encoding: without header, comments and lines to skip. Values stay as they are spelled. */
export class CsvParse extends Transform {
  readonly #options: CsvParseOptions
  readonly #delimiter: number
  readonly #quote: number
  readonly #escape: number
  readonly #comment: number
  readonly #null: Buffer
  #rest: Buffer = Buffer.alloc(0)
  #skip: number
  #header: boolean
  #begun = false
  #rows = 0
  #line: number
  /** Of the row at hand. */
  #out: Buffer = Buffer.alloc(0)
  #to = 0
  #linesInRow = 0
  /** Told when the chunk is through. */
  #broken: SkippedRow[] = []

  constructor(options: CsvParseOptions) {
    super({ readableHighWaterMark: 1 << 19, writableHighWaterMark: 1 << 19 })
    const { dialect, delimiter } = options
    const code = (text: string) => (text === '' ? -1 : text.charCodeAt(0))
    this.#options = options
    this.#delimiter = code(delimiter)
    this.#quote = code(dialect.quote)
    this.#escape = code(dialect.escape)
    this.#comment = code(dialect.comment)
    this.#null = Buffer.from(dialect.nullText)
    this.#skip = dialect.skipLines
    this.#header = options.fromLine === undefined && dialect.header
    this.#line = options.fromLine ?? 1
  }

  get rows(): number {
    return this.#rows
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#step(this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]), false, done)
  }

  override _flush(done: TransformCallback): void {
    this.#step(this.#rest, true, done)
  }

  #step(data: Buffer, last: boolean, done: TransformCallback): void {
    try {
      const lines = this.#parse(data, last)
      if (this.#broken.length === 0) done(null, lines)
      else
        this.#tell().then(
          () => done(null, lines),
          (cause) => done(Fault.from(cause)),
        )
    } catch (cause) {
      done(Fault.from(cause))
    }
  }

  async #tell(): Promise<void> {
    for (const row of this.#broken.splice(0)) await this.#options.left?.(row)
  }

  #parse(data: Buffer, last: boolean): Buffer {
    // A byte becomes three at most: an empty value that is not NULL.
    this.#out = Buffer.allocUnsafe(data.length * 3 + 8)
    this.#to = 0
    let at = this.#begun || data[0] !== 0xef || data[1] !== 0xbb || data[2] !== 0xbf ? 0 : 3
    this.#begun = true
    while (at < data.length) {
      const from = this.#to
      const next = this.#passed(data, at, last) ?? this.#rowOrLeft(data, at, last)
      if (next < 0) {
        this.#to = from
        break
      }
      at = next
    }
    this.#rest = data.subarray(at)
    return this.#out.subarray(0, this.#to)
  }

  /** Lines that are no rows: where the next begins, −1 where the end is not there yet, undefined for a row. */
  #passed(data: Buffer, at: number, last: boolean): number | undefined {
    const first = data[at]
    const blank = first === LINE || (first === RETURN && data[at + 1] === LINE)
    const skipped = this.#skip > 0
    if (!skipped && first !== this.#comment && !(blank && this.#options.columns > 1)) return undefined
    const end = data.indexOf(LINE, at)
    if (end < 0 && !last) return -1
    this.#line += 1
    if (skipped) this.#skip -= 1
    return end < 0 ? data.length : end + 1
  }

  #rowOrLeft(data: Buffer, from: number, last: boolean): number {
    const begin = this.#to
    try {
      const end = this.#row(data, from, last)
      if (end >= 0 || data.length - from <= ROW_BYTES) return end
      throw this.#broke('the row is longer than 16 MB')
    } catch (cause) {
      if (!(cause instanceof BrokenRow)) throw cause
      if (!this.#options.left || this.#header) throw new Fault('ROW_INVALID', { at: cause.message })
      const line = data.indexOf(LINE, from)
      const end = cause.end ?? (line < 0 ? (last ? data.length : -1) : line + 1)
      if (end < 0 && data.length - from > ROW_BYTES) throw new Fault('ROW_INVALID', { at: cause.message })
      this.#to = begin
      if (end >= 0) this.#leave(data.subarray(from, end), cause)
      return end
    }
  }

  #leave(row: Buffer, { message, end }: BrokenRow): void {
    this.#line += end === undefined ? 1 : 1 + this.#linesInRow
    this.#rows += 1
    const text = row.at(-1) === LINE ? row.subarray(0, -1) : row
    const bytes = Buffer.from(text.at(-1) === RETURN ? text.subarray(0, -1) : text)
    this.#broken.push({ row: this.#rows, column: null, code: 'ROW_INVALID', error: message, bytes })
  }

  #row(data: Buffer, from: number, last: boolean): number {
    const begin = this.#to
    let columns = 0
    this.#linesInRow = 0
    for (let at = from; ; ) {
      if (columns > 0) this.#out[this.#to++] = COMMA
      columns += 1
      const end = data[at] === this.#quote ? this.#quoted(data, at, last) : this.#plain(data, at)
      if (end < 0 || (end >= data.length && !last)) return -1
      if (data[end] === this.#delimiter) {
        at = end + 1
        continue
      }
      if (data[end] === RETURN && end + 1 >= data.length && !last) return -1
      const { columns: expected } = this.#options
      const next = data[end] === RETURN && data[end + 1] === LINE ? end + 2 : end + 1
      if (columns !== expected) {
        const column = Math.min(columns, expected) + 1
        throw this.#broke(`${expected} columns expected, ${columns} found`, { column, end: Math.min(next, data.length) })
      }
      this.#ended(begin)
      return next
    }
  }

  #ended(begin: number): void {
    this.#line += 1 + this.#linesInRow
    if (this.#header) {
      this.#header = false
      this.#to = begin
      return
    }
    this.#out[this.#to++] = LINE
    this.#rows += 1
  }

  /** Up to its delimiter or the end of the line. */
  #plain(data: Buffer, from: number): number {
    let end = from
    let odd = false
    for (; end < data.length; end += 1) {
      const byte = data[end]
      if (byte === this.#delimiter || byte === LINE || (byte === RETURN && (data[end + 1] === LINE || end + 1 === data.length))) break
      if (byte === QUOTE && this.#options.strict) throw this.#broke('a quote stands in the midst of a value')
      if (byte === COMMA || byte === QUOTE || byte === RETURN) odd = true
    }
    if (this.#null.equals(data.subarray(from, end))) return end
    if (from === end) this.#write(data, from, end, true, false)
    else this.#write(data, from, end, odd, false)
    return end
  }

  /** Behind its closing quote. */
  #quoted(data: Buffer, from: number, last: boolean): number {
    let escaped = false
    for (let at = from + 1; at < data.length; at += 1) {
      const byte = data[at]
      if (byte === LINE) this.#linesInRow += 1
      if (byte === this.#escape && (data[at + 1] === this.#quote || (data[at + 1] === this.#escape && this.#escape !== this.#quote))) {
        escaped = true
        at += 1
      } else if (byte === this.#quote) {
        const after = data[at + 1]
        if (after === undefined && !last) return -1
        if (after !== undefined && after !== this.#delimiter && after !== LINE && after !== RETURN) {
          throw this.#broke('a quote ends in the midst of a value')
        }
        this.#write(data, from + 1, at, true, escaped)
        return at + 1
      }
    }
    if (last) throw this.#broke('a quoted value has no end')
    return -1
  }

  #write(data: Buffer, from: number, to: number, quoted: boolean, escaped: boolean): void {
    const out = this.#out
    if (!quoted) {
      this.#to += data.copy(out, this.#to, from, to)
      return
    }
    out[this.#to++] = QUOTE
    for (let at = from; at < to; at += 1) {
      if (escaped && data[at] === this.#escape && (data[at + 1] === this.#quote || data[at + 1] === this.#escape)) at += 1
      const byte = data[at] as number
      if (byte === QUOTE) out[this.#to++] = QUOTE
      out[this.#to++] = byte
    }
    out[this.#to++] = QUOTE
  }

  #broke(wrong: string, { column, end }: { readonly column?: number; readonly end?: number } = {}): BrokenRow {
    const place = `file ${this.#options.file}, line ${this.#line}${column === undefined ? '' : `, column ${column}`}`
    return new BrokenRow(`${place}: ${wrong}.`, end)
  }
}

/** `end` is where the next row begins, where that is known. */
class BrokenRow extends Error {
  override readonly name = 'BrokenRow'
  readonly end: number | undefined

  constructor(message: string, end: number | undefined) {
    super(message)
    this.end = end
  }
}
