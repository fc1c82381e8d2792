import { Transform, type TransformCallback } from 'node:stream'
import { Fault } from '@postern/protocol/fault.ts'

const QUOTE = 0x22
const COMMA = 0x2c
const LINE = 0x0a
const RETURN = 0x0d

/** Where the bytes come from, for a fault. */
export interface CsvPlace {
  readonly file: string
  /** The number of the first line. */
  readonly line: number
}

/**
 * Passes lines of standard CSV on as they are and counts its rows: "\r\n" becomes "\n", empty lines go, the last line gets its end.
 * Values are not looked at; quotes that do not stand around a whole value are refused, for every reader takes them for something else.
 */
export class CsvPass extends Transform {
  readonly #place: CsvPlace
  #rows = 0
  /** Line ends so far, those within quotes too. */
  #lines = 0
  #quoted = false
  /** What came before this chunk; a line end at the beginning. */
  #last = LINE
  /** A return at the end of the chunk before: the next byte decides. */
  #held = false
  #wrong: string | undefined
  #tidied = Buffer.alloc(0)

  constructor(place: CsvPlace) {
    super({ readableHighWaterMark: 1 << 19, writableHighWaterMark: 1 << 19 })
    this.#place = place
  }

  get rows(): number {
    return this.#rows
  }

  override _transform(given: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (given.length === 0) {
      done()
      return
    }
    const chunk = this.#held ? Buffer.concat([Buffer.from([RETURN]), given]) : given
    this.#held = false
    if (this.#scan(chunk)) done(null, chunk)
    else if (this.#wrong !== undefined) done(this.#fault(this.#wrong))
    else done(null, this.#tidied)
  }

  /** True when the chunk can go on as it is. */
  #scan(chunk: Buffer): boolean {
    const { length } = chunk
    const before = { quoted: this.#quoted, last: this.#last }
    let quoted = before.quoted
    let rows = 0
    let lines = 0
    let lineStart = before.last === LINE && !quoted ? 0 : -1
    let untidy = false
    // Of the byte before: a closing quote must be followed by the end of the value, an opening one must follow one.
    if (!quoted && before.last === QUOTE && !endsValue(chunk[0] as number))
      return this.#refuse(lines, 'a quote ends in the midst of a value')
    for (let i = 0; i < length; i += 1) {
      const byte = chunk[i] as number
      if (byte > QUOTE) continue
      if (byte === QUOTE) {
        if (quoted) {
          quoted = false
          if (i + 1 < length && !endsValue(chunk[i + 1] as number)) return this.#refuse(lines, 'a quote ends in the midst of a value')
        } else {
          const prior = i > 0 ? (chunk[i - 1] as number) : before.last
          if (prior !== COMMA && prior !== LINE && prior !== QUOTE) return this.#refuse(lines, 'a quote stands in the midst of a value')
          quoted = true
        }
      } else if (byte === LINE) {
        lines += 1
        if (!quoted) {
          if (i === lineStart) untidy = true
          else rows += 1
          lineStart = i + 1
        }
      } else if (byte === RETURN && !quoted) untidy = true
    }
    this.#lines += lines
    this.#quoted = quoted
    if (!untidy) {
      this.#rows += rows
      this.#last = chunk[length - 1] as number
      return true
    }
    this.#tidied = this.#tidy(chunk, before)
    return false
  }

  #refuse(lines: number, wrong: string): false {
    this.#lines += lines
    this.#wrong = wrong
    return false
  }

  /** The same without returns at the ends of lines and without empty lines. */
  #tidy(chunk: Buffer, before: { readonly quoted: boolean; readonly last: number }): Buffer<ArrayBuffer> {
    const out = Buffer.allocUnsafe(chunk.length)
    let { quoted, last } = before
    let to = 0
    for (let i = 0; i < chunk.length; i += 1) {
      const byte = chunk[i] as number
      if (byte === QUOTE) quoted = !quoted
      else if (!quoted && byte === RETURN) {
        if (i + 1 === chunk.length) this.#held = true
        if (i + 1 === chunk.length || chunk[i + 1] === LINE) continue
      } else if (!quoted && byte === LINE) {
        if (last === LINE) continue
        this.#rows += 1
      }
      out[to++] = byte
      last = byte
    }
    this.#last = last
    return out.subarray(0, to)
  }

  override _flush(done: TransformCallback): void {
    if (this.#quoted) done(this.#fault('a quoted value has no end'))
    else if (this.#last === LINE) done()
    else {
      this.#rows += 1
      this.#last = LINE
      done(null, Buffer.from('\n'))
    }
  }

  #fault(wrong: string): Fault {
    return new Fault('ROW_INVALID', { at: `file ${this.#place.file}, line ${this.#place.line + this.#lines}: ${wrong}.` })
  }
}

function endsValue(byte: number): boolean {
  return byte === COMMA || byte === LINE || byte === RETURN || byte === QUOTE
}
