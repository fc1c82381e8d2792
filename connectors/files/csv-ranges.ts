import { Fault } from '@postern/protocol/fault.ts'
import type { CsvRange } from './source-parts.ts'

const QUOTE = 0x22
const LINE = 0x0a
const RETURN = 0x0d

export interface CutOptions {
  readonly file: string
  /** The byte and the line at which `chunks` begin. */
  readonly at: number
  readonly line: number
  /** A range ends with the first row that makes it as long. */
  readonly step: number
}

/** Cuts standard CSV between rows, and counts them. Where a row ends can only be told by reading all quotes before it. */
export async function cutCsv(chunks: AsyncIterable<Buffer>, { file, at, line, step }: CutOptions): Promise<readonly CsvRange[]> {
  const ranges: CsvRange[] = []
  let from = at
  let fromLine = line
  let base = at
  let rows = 0
  let lines = 0
  let quoted = false
  let opened = line
  let lineStart = at
  /** The last byte of the chunk before. */
  let before = LINE
  for await (const chunk of chunks) {
    const { length } = chunk
    let i = 0
    while (i < length) {
      if (quoted) {
        for (; i < length; i += 1) {
          const byte = chunk[i]
          if (byte === QUOTE) break
          if (byte === LINE) lines += 1
        }
        if (i === length) break
        quoted = false
        i += 1
        continue
      }
      const byte = chunk[i] as number
      i += 1
      if (byte > QUOTE) continue
      if (byte === QUOTE) {
        quoted = true
        opened = line + lines
      } else if (byte === LINE) {
        lines += 1
        const end = base + i
        const width = end - lineStart
        lineStart = end
        // As CsvPass counts: an empty line is no row.
        if (width === 1 || (width === 2 && (i < 2 ? before : chunk[i - 2]) === RETURN)) continue
        rows += 1
        if (end - from < step) continue
        ranges.push({ from, to: end, rows, line: fromLine })
        from = end
        fromLine = line + lines
        rows = 0
      }
    }
    base += length
    before = chunk[length - 1] ?? before
  }
  if (quoted) throw new Fault('ROW_INVALID', { at: `file ${file}, line ${opened}: a quoted value has no end.` })
  if (base > lineStart) rows += 1
  if (rows > 0 || ranges.length === 0) ranges.push({ from, to: base, rows, line: fromLine })
  return ranges
}
