/** CSV files as lines of the `csv-raw` encoding: read by the node itself, not by DuckDB. */
import { Readable } from 'node:stream'
import { Fault } from '@postern/protocol/fault.ts'
import type { LeftOut } from '../copy-contract.ts'
import { changed } from './bundle.ts'
import { isPlainlyQuoted } from './csv-dialect.ts'
import { asUtf8, readCsvHead, textFault, unpacked } from './csv-head.ts'
import { CsvParse } from './csv-parse.ts'
import { CsvPass } from './csv-pass.ts'
import { cutCsv } from './csv-ranges.ts'
import { stopIfAborted } from './faults.ts'
import type { Input } from './inputs.ts'
import type { Place } from './place.ts'
import type { CsvReading } from './reading.ts'
import type { CsvRange } from './source-parts.ts'

export interface RawCsv {
  readonly place: Place
  readonly reading: CsvReading
  readonly columns: number
  readonly files: readonly Input[]
  /** Of the only file. */
  readonly range?: CsvRange | undefined
  /** Takes rows that cannot be read; where it is left out, they fail. */
  readonly left?: LeftOut | undefined
}

export interface RawRows {
  readonly bytes: Readable
  /** With those that were left out. */
  rows(): number
}

export function rawCsv(parts: RawCsv, signal: AbortSignal): RawRows {
  const count = { rows: 0 }
  const bytes = Readable.from(linesOf(parts, count, signal), { objectMode: false, highWaterMark: 1 << 19 })
  return { bytes, rows: () => count.rows }
}

async function* linesOf(parts: RawCsv, count: { rows: number }, signal: AbortSignal): AsyncIterable<Buffer> {
  if (parts.range?.tidy && !parts.left) {
    yield* tidyRange(parts, parts.range, count, signal)
    return
  }
  for (const file of parts.files) {
    const before = count.rows
    const lines = await readerOf(parts, file, before, signal)
    try {
      for await (const chunk of lines as AsyncIterable<Buffer>) {
        stopIfAborted(signal)
        count.rows = before + lines.rows
        yield chunk
      }
    } catch (cause) {
      throw textFault(cause, file.path, file.layout)
    }
    count.rows = before + lines.rows
    await refuseChanged(parts.place, file, signal)
    if (parts.range && !parts.left && lines.rows !== parts.range.rows) throw changed(file.path)
  }
}

/** It was looked at when it was cut, and is passed on if it is still what it was then. */
async function* tidyRange(parts: RawCsv, range: CsvRange, count: { rows: number }, signal: AbortSignal): AsyncIterable<Buffer> {
  const [file] = parts.files
  if (!file) return
  const length = range.to - range.from
  let read = 0
  try {
    for await (const chunk of parts.place.read(file.path, range, file.version) as AsyncIterable<Buffer>) {
      stopIfAborted(signal)
      read += chunk.length
      count.rows = Math.floor((range.rows * Math.min(read, length)) / length)
      yield chunk
    }
  } catch (cause) {
    throw textFault(cause, file.path, file.layout)
  }
  if (read !== length) throw changed(file.path)
  await refuseChanged(parts.place, file, signal)
  count.rows = range.rows
}

/** `before`: rows of the part in the files before this one. */
async function readerOf(parts: RawCsv, file: Input, before: number, signal: AbortSignal): Promise<CsvPass | CsvParse> {
  const { place, reading, columns, range, left } = parts
  const { dialect, delimiter } = reading
  if (left) {
    const bytes = range ? place.read(file.path, range) : unpacked(place.read(file.path), file.layout)
    const options = { dialect, delimiter, columns, file: file.path, strict: isPlainlyQuoted(dialect), fromLine: range?.line }
    const leave: LeftOut = (row) => left({ ...row, row: before + row.row })
    return piped(Readable.from(asUtf8(bytes, dialect.encoding), { objectMode: false }), new CsvParse({ ...options, left: leave }))
  }
  if (range) {
    const bytes = range.to > range.from ? place.read(file.path, range) : Readable.from([])
    return piped(bytes, new CsvPass({ file: file.path, line: range.line }))
  }
  if (delimiter !== ',' || !isPlainlyQuoted(dialect)) {
    const text = Readable.from(asUtf8(unpacked(place.read(file.path), file.layout), dialect.encoding), { objectMode: false })
    return piped(text, new CsvParse({ dialect, delimiter, columns, file: file.path }))
  }
  const { dataAt, dataLine } = await readCsvHead(place.read(file.path), file.layout, dialect, file.path, signal)
  const pass = new CsvPass({ file: file.path, line: dataLine })
  if (file.layout.compression === 'none') {
    return dataAt >= file.bytes ? piped(Readable.from([]), pass) : piped(place.read(file.path, { from: dataAt, to: file.bytes }), pass)
  }
  return piped(Readable.from(without(unpacked(place.read(file.path), file.layout), dataAt), { objectMode: false }), pass)
}

/** Each end of the two takes the other with it. */
function piped<Lines extends CsvPass | CsvParse>(from: Readable, lines: Lines): Lines {
  from.on('error', (cause) => lines.destroy(cause))
  lines.on('close', () => from.destroy())
  from.pipe(lines)
  return lines
}

async function* without(chunks: AsyncIterable<Buffer>, skip: number): AsyncIterable<Buffer> {
  let left = skip
  for await (const chunk of chunks) {
    if (left < chunk.length) yield chunk.subarray(left)
    left = Math.max(0, left - chunk.length)
  }
}

/** Fails when a file is not what it was when the copy was planned. */
export async function refuseChanged(place: Place, file: Input, signal: AbortSignal): Promise<void> {
  const now = await place.file(file.path, signal)
  if (now?.bytes !== file.bytes || (file.version !== undefined && now.version !== file.version)) throw changed(file.path)
}

/** Rows by reading all of it. */
export async function countRaw(parts: RawCsv, signal: AbortSignal): Promise<number> {
  const { bytes, rows } = rawCsv(parts, signal)
  for await (const _ of bytes) stopIfAborted(signal)
  return rows()
}

/** Whether a file can be read from anywhere in it. */
export function canCut({ delimiter, dialect }: CsvReading, file: Input): boolean {
  return file.layout.compression === 'none' && delimiter === ',' && isPlainlyQuoted(dialect)
}

export async function rangesOf(parts: Omit<RawCsv, 'files'>, file: Input, step: number, signal: AbortSignal): Promise<readonly CsvRange[]> {
  const { place, reading } = parts
  const { dataAt, dataLine } = await readCsvHead(place.read(file.path), file.layout, reading.dialect, file.path, signal)
  if (dataAt >= file.bytes) return [{ from: file.bytes, to: file.bytes, rows: 0, line: dataLine, tidy: false }]
  const bytes = place.read(file.path, { from: dataAt, to: file.bytes })
  try {
    const ranges = await cutCsv(stoppable(bytes, signal), { file: file.path, at: dataAt, line: dataLine, step })
    if (ranges.at(-1)?.to !== file.bytes) throw new Fault('INTERNAL', { at: `file ${file.path}: more or less was read than there is` })
    return ranges
  } finally {
    bytes.destroy()
  }
}

async function* stoppable(bytes: Readable, signal: AbortSignal): AsyncIterable<Buffer> {
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    stopIfAborted(signal)
    yield chunk
  }
}
