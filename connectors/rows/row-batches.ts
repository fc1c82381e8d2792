/** Cuts text rows into batches of whole rows, without reading more of them than where they end. */
import type { Encoding } from '../copy-contract.ts'

/** Where a row ends: at each line end (`pg-text` escapes those in values), or at those outside of quotes (`csv`). */
export type RowForm = 'lines' | 'quoted'

export const rowForm = (encoding: Encoding): RowForm => (encoding === 'pg-text' ? 'lines' : 'quoted')

export interface RowBatch {
  readonly bytes: Buffer
  readonly rows: number
  /** Of its first row in the whole, from 1. */
  readonly first: number
}

export interface BatchLimits {
  readonly bytes: number
  readonly rows: number
}

const NEW_LINE = 0x0a
const QUOTE = 0x22

/** Finds the ends of rows in pieces that follow each other. */
class RowEnds {
  readonly #form: RowForm
  #quoted = false

  constructor(form: RowForm) {
    this.#form = form
  }

  /** Calls `end` with the place after each row that ends in the piece; stops early when it answers false. */
  scan(piece: Buffer, end: (after: number) => boolean): void {
    if (this.#form === 'lines') {
      for (let at = piece.indexOf(NEW_LINE); at >= 0; at = piece.indexOf(NEW_LINE, at + 1)) if (!end(at + 1)) return
      return
    }
    let at = 0
    while (at < piece.length) {
      const quote = indexOrEnd(piece, QUOTE, at)
      if (!this.#quoted) {
        for (let line = piece.indexOf(NEW_LINE, at); line >= 0 && line < quote; line = piece.indexOf(NEW_LINE, line + 1)) {
          if (!end(line + 1)) return
        }
      }
      if (quote < piece.length) this.#quoted = !this.#quoted
      at = quote + 1
    }
  }
}

function indexOrEnd(piece: Buffer, byte: number, from: number): number {
  const at = piece.indexOf(byte, from)
  return at < 0 ? piece.length : at
}

/** All rows of the source, in batches of about so many bytes and at most so many rows; one row may be longer. */
export async function* rowBatches(source: AsyncIterable<Buffer>, form: RowForm, limits: BatchLimits): AsyncGenerator<RowBatch> {
  const ends = new RowEnds(form)
  let [first, rows, held]: [number, number, Buffer[]] = [1, 0, []]
  let size = 0
  const taken = (bytes: Buffer): RowBatch => {
    const batch = { bytes, rows, first }
    first += rows
    rows = 0
    return batch
  }
  for await (const piece of source) {
    const cuts: { readonly after: number; readonly rows: number }[] = []
    let inPiece = rows
    ends.scan(piece, (after) => {
      inPiece += 1
      const from = cuts.at(-1)?.after ?? -size
      if (inPiece >= limits.rows || after - from >= limits.bytes) {
        cuts.push({ after, rows: inPiece })
        inPiece = 0
      }
      return true
    })
    let from = 0
    for (const cut of cuts) {
      rows = cut.rows
      yield taken(Buffer.concat([...held, piece.subarray(from, cut.after)]))
      held = []
      size = 0
      from = cut.after
    }
    rows = inPiece
    if (from < piece.length) {
      held.push(piece.subarray(from))
      size += piece.length - from
    }
  }
  if (size === 0) return
  const rest = Buffer.concat(held)
  // A last row without its line end is a row too.
  if (rest.at(-1) !== NEW_LINE) rows += 1
  yield taken(rest)
}

/** The first `count` rows, and the others. */
export function splitBatch(batch: RowBatch, form: RowForm, count: number): readonly [RowBatch, RowBatch] {
  let [cut, seen] = [0, 0]
  if (count > 0) {
    new RowEnds(form).scan(batch.bytes, (after) => {
      seen += 1
      cut = after
      return seen < count
    })
  }
  return [
    { bytes: batch.bytes.subarray(0, cut), rows: count, first: batch.first },
    { bytes: batch.bytes.subarray(cut), rows: batch.rows - count, first: batch.first + count },
  ]
}

/** The bytes of a batch of one row, without the line's end. */
export function rowBytes({ bytes }: RowBatch): Buffer {
  return bytes.at(-1) === NEW_LINE ? bytes.subarray(0, -1) : bytes
}
