import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RowBytes } from './row-bytes.ts'

/** As the wire does it: frames of five bytes and a row each, cut into chunks anywhere; a row that is cut comes in a buffer of its own. */
function through(rows: readonly Buffer[], cuts: readonly number[]): Buffer {
  const frames = Buffer.concat(rows.flatMap((row) => [Buffer.from('d____'), row]))
  const ends = [...cuts, frames.length].map((cut) => Math.min(cut, frames.length)).toSorted((a, b) => a - b)
  const chunks = ends.map((end, i) => ({ from: ends[i - 1] ?? 0, to: end, bytes: Buffer.from(frames.subarray(ends[i - 1] ?? 0, end)) }))
  const out = new RowBytes()
  const pieces: Buffer[] = []
  let at = 0
  for (const row of rows) {
    const [start, end] = [at + 5, at + 5 + row.length]
    const chunk = chunks.find(({ from, to }) => at >= from && end <= to)
    if (chunk) out.add(chunk.bytes, start - chunk.from, end - chunk.from)
    else out.add(Buffer.concat([Buffer.from('d____'), row]), 5, 5 + row.length)
    at = end
    // What was handed on is never written again.
    pieces.push(...out.take().map((piece) => Buffer.from(piece)))
  }
  return Buffer.concat([...pieces, ...out.end()])
}

test('rows come out as they went in, wherever the chunks were cut', () => {
  const row = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes))
  fc.assert(
    fc.property(fc.array(row, { maxLength: 60 }), fc.array(fc.nat(2_000), { maxLength: 12 }), (rows, cuts) => {
      expect(through(rows, cuts).equals(Buffer.concat(rows))).toBe(true)
    }),
  )
})

test('what was handed on is not written again, however large the rows', () => {
  const large = (byte: number) => Buffer.alloc(40_000, byte)
  const out = new RowBytes()
  const [a, b] = [Buffer.concat([Buffer.alloc(5), large(1), Buffer.alloc(5), large(2)]), Buffer.concat([Buffer.alloc(5), large(3)])]
  out.add(a, 5, 40_005)
  out.add(a, 40_010, 80_010)
  out.add(b, 5, 40_005)
  const first = out.take()
  const before = first.map((piece) => Buffer.from(piece))
  out.add(Buffer.from('more'), 0, 4)
  const rest = out.end()

  expect(first.map((piece, i) => piece.equals(before[i] as Buffer))).toEqual([true])
  expect(Buffer.concat([...first, ...rest]).equals(Buffer.concat([large(1), large(2), large(3), Buffer.from('more')]))).toBe(true)
})
