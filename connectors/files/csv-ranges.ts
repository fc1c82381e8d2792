import { Fault } from '@postern/protocol/fault.ts'
import type { CsvRange } from './source-parts.ts'

const QUOTE = 0x22
const LINE = 0x0a
const COMMA = 0x2c
const RETURN = 0x0d

export interface CutOptions {
  readonly file: string
  /** The byte and the line at which `chunks` begin. */
  readonly at: number
  readonly line: number
  /** A range ends with the first row that makes it as long. */
  readonly step: number
}

/**
 * Cuts standard CSV between rows, and counts them. Where a row ends can only be told by reading all quotes before it: this is the one
 * look at the text that there is, so what CsvPass would refuse is refused here.
 */
export async function cutCsv(chunks: AsyncIterable<Buffer>, options: CutOptions): Promise<readonly CsvRange[]> {
  const cutter = new Cutter(options)
  for await (const chunk of chunks) cutter.take(chunk)
  return cutter.end()
}

class Cutter {
  readonly #options: CutOptions
  readonly #ranges: CsvRange[] = []
  #from: number
  #fromLine: number
  #base: number
  #lineStart: number
  #rows = 0
  #lines = 0
  #tidy = true
  #quoted = false
  #opened = 0
  /** The last byte of the chunk before. */
  #before = LINE

  constructor(options: CutOptions) {
    this.#options = options
    this.#from = options.at
    this.#base = options.at
    this.#lineStart = options.at
    this.#fromLine = options.line
  }

  take(chunk: Buffer): void {
    const { length } = chunk
    if (length === 0) return
    let quoted = this.#quoted
    if (!quoted && this.#before === QUOTE && !endsValue(chunk[0] as number)) throw this.#fault('a quote ends in the midst of a value')
    for (let i = 0; i < length; i += 1) {
      if (quoted) {
        i = this.#skipQuoted(chunk, i)
        if (i === length) break
        quoted = false
        if (i + 1 < length && !endsValue(chunk[i + 1] as number)) throw this.#fault('a quote ends in the midst of a value')
        continue
      }
      const byte = chunk[i] as number
      if (byte > QUOTE) continue
      if (byte === QUOTE) {
        const prior = i > 0 ? chunk[i - 1] : this.#before
        if (prior !== COMMA && prior !== LINE && prior !== QUOTE) throw this.#fault('a quote stands in the midst of a value')
        quoted = true
        this.#opened = this.#lines
      } else if (byte === LINE) this.#lineEnd(this.#base + i + 1, i > 0 ? chunk[i - 1] : this.#before)
      else if (byte === RETURN) this.#tidy = false
    }
    this.#quoted = quoted
    this.#base += length
    this.#before = chunk[length - 1] as number
  }

  /** Where the quote is that ends the value, or the end of the chunk. */
  #skipQuoted(chunk: Buffer, from: number): number {
    const { length } = chunk
    for (let i = from; i < length; i += 1) {
      const byte = chunk[i]
      if (byte === QUOTE) return i
      if (byte === LINE) this.#lines += 1
    }
    return length
  }

  #lineEnd(end: number, prior: number | undefined): void {
    this.#lines += 1
    const width = end - this.#lineStart
    this.#lineStart = end
    // As CsvPass counts: an empty line is no row.
    if (width === 1 || (width === 2 && prior === RETURN)) this.#tidy = false
    else {
      this.#rows += 1
      if (end - this.#from >= this.#options.step) this.#cut(end)
    }
  }

  #cut(to: number): void {
    this.#ranges.push({ from: this.#from, to, rows: this.#rows, line: this.#fromLine, tidy: this.#tidy })
    this.#from = to
    this.#fromLine = this.#options.line + this.#lines
    this.#rows = 0
    this.#tidy = true
  }

  end(): readonly CsvRange[] {
    const { line } = this.#options
    if (this.#quoted)
      throw new Fault('ROW_INVALID', { at: `file ${this.#options.file}, line ${line + this.#opened}: a quoted value has no end.` })
    if (this.#base > this.#lineStart) {
      this.#rows += 1
      this.#tidy = false
    }
    if (this.#base > this.#from || this.#ranges.length === 0) this.#cut(this.#base)
    return this.#ranges
  }

  #fault(wrong: string): Fault {
    return new Fault('ROW_INVALID', { at: `file ${this.#options.file}, line ${this.#options.line + this.#lines}: ${wrong}.` })
  }
}

function endsValue(byte: number): boolean {
  return byte === COMMA || byte === LINE || byte === RETURN || byte === QUOTE
}
