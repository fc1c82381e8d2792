import { Transform, type TransformCallback } from 'node:stream'
import { Fault } from '@postern/protocol/fault.ts'

const QUOTE = 0x22
const NEWLINE = 0x0a

/** Passes the `csv` encoding on and counts its records: line ends outside of quotes. Fails when the last one has no end. */
export class CsvCounter extends Transform {
  #rows = 0
  #quoted = false
  #open = false

  get rows(): number {
    return this.#rows
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (chunk.length > 0) {
      this.#rows += this.#quoted || chunk.includes(QUOTE) ? this.#countAware(chunk) : countNewlines(chunk)
      this.#open = chunk[chunk.length - 1] !== NEWLINE
    }
    done(null, chunk)
  }

  #countAware(chunk: Buffer): number {
    let rows = 0
    let quoted = this.#quoted
    for (let i = 0; i < chunk.length; i += 1) {
      const byte = chunk[i]
      if (byte === QUOTE) quoted = !quoted
      else if (byte === NEWLINE && !quoted) rows += 1
    }
    this.#quoted = quoted
    return rows
  }

  override _flush(done: TransformCallback): void {
    if (this.#quoted) done(new Fault('ROW_INVALID', { at: `row ${this.#rows + 1}: a quoted value has no end.` }))
    else if (this.#open) done(new Fault('ROW_INVALID', { at: `row ${this.#rows + 1}: the row has no end.` }))
    else done()
  }
}

function countNewlines(chunk: Buffer): number {
  let rows = 0
  for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) rows += 1
  return rows
}
