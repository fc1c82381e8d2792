import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, rm, stat } from 'node:fs/promises'
import { PassThrough, type Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip, createZstdCompress } from 'node:zlib'
import { Fault } from '@postern/protocol/fault.ts'
import type { Column } from '../copy-contract.ts'
import { CsvCounter } from './csv-counter.ts'
import { dialectOf } from './csv-dialect.ts'
import { syncFile } from './durable.ts'
import { fileFault, stopIfAborted } from './faults.ts'
import type { Compression, Layout } from './formats.ts'
import { linesToArray } from './json-array.ts'
import { jsonRefused, ndjsonLine } from './ndjson-sql.ts'
import { drain, feed, type Rows } from './pipe.ts'
import type { HeldFile } from './place.ts'
import { CsvToPlain, isQuoteHeavy } from './plain.ts'
import type { FilesParts } from './session.ts'
import { fileLiteral, identifier, literal } from './sql.ts'
import { type Dialect, firstMisfit, PLAIN_ROWS, textRows, typedRows } from './types.ts'
import type { WriteForm } from './write-form.ts'

export interface Written {
  readonly rows: number
  readonly bytes: number
  /** Empty where nobody asks for it. */
  readonly sha256: string
  /** Of the file, where its place says what it made of it. */
  readonly version?: string
  /** It is no file yet. */
  readonly held?: HeldFile
}

export interface WriteParts {
  readonly path: string
  /** Where it will be seen: a place that can may hold its bytes back there. */
  readonly final?: string | undefined
  /** For a person. */
  readonly title: string
  readonly layout: Layout
  readonly form: WriteForm
  readonly columns: readonly Column[]
  readonly bytes: Readable
  /** No manifest will tell its hash. */
  readonly unhashed?: boolean
}

/** Whether CSV is written as it comes. */
export function passesThrough({ layout, form }: Pick<WriteParts, 'layout' | 'form'>): boolean {
  return layout.format === 'csv' && form.dialect === undefined
}

/** Writes the `csv` encoding as a file of the layout, down to the disk. On any failure there is no file. */
export async function writeFile(parts: WriteParts, session: FilesParts, signal: AbortSignal): Promise<Written> {
  try {
    if (parts.bytes.errored) throw parts.bytes.errored
    const rows = passesThrough(parts) ? await passThrough(parts, signal) : await convert(parts, session, signal)
    const { size } = await stat(parts.path)
    const sha256 = await hashOf(parts.path, signal)
    return { rows, bytes: size, sha256 }
  } catch (cause) {
    parts.bytes.destroy()
    await rm(parts.path, { force: true }).catch(() => undefined)
    stopIfAborted(signal)
    throw fileFault(cause, parts.title)
  }
}

/** CSV is written as it comes, below a header line: nothing is parsed but for line ends. */
async function passThrough({ path, layout, columns, bytes }: WriteParts, signal: AbortSignal): Promise<number> {
  const file = await open(path, 'wx', 0o644)
  try {
    const counter = new CsvCounter()
    await pipeline(bytes, counter, headed(columns), compressor(layout.compression), fileWriter(file), { signal })
    await file.sync()
    return counter.rows
  } finally {
    await file.close()
  }
}

/** The file stays open at the end: it is still to be synced. */
function fileWriter(file: FileHandle): Writable {
  const write = async (chunks: readonly Uint8Array[]) => {
    let left = Buffer.concat(chunks)
    while (left.length > 0) left = left.subarray((await file.write(left)).bytesWritten)
  }
  return new Writable({
    highWaterMark: 1 << 20,
    writev: (chunks, done) => {
      write(chunks.map(({ chunk }) => chunk)).then(() => done(), done)
    },
  })
}

function headerCell(name: string): string {
  return /[",\n\r\t;|]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name
}

/** Puts the header line before what passes. */
export function headed(columns: readonly Column[]): Transform {
  const header = Buffer.from(`${columns.map(({ name }) => headerCell(name)).join(',')}\n`)
  let sent = false
  return new Transform({
    transform(chunk, _encoding, done) {
      if (!sent) this.push(header)
      sent = true
      done(null, chunk)
    },
    flush(done) {
      if (!sent) this.push(header)
      done()
    },
  })
}

export function compressor(compression: Compression) {
  if (compression === 'none') return new PassThrough()
  return compression === 'gzip' ? createGzip({ chunkSize: 1 << 16 }) : createZstdCompress({ chunkSize: 1 << 17 })
}

async function convert(parts: WriteParts, session: FilesParts, signal: AbortSignal): Promise<number> {
  if (parts.layout.format === 'json') return arrayFile(parts, session, signal)
  const rows = await convertTo(parts.path, parts, session, signal)
  await syncFile(parts.path)
  return rows
}

/** DuckDB writes lines, the node makes one array of them. */
async function arrayFile(parts: WriteParts, session: FilesParts, signal: AbortSignal): Promise<number> {
  const { bytes, rows } = await convertedBytes(parts, session, signal)
  const file = await open(parts.path, 'wx', 0o644)
  try {
    await pipeline(bytes, linesToArray(), compressor(parts.layout.compression), fileWriter(file), { signal })
    await file.sync()
    return rows()
  } finally {
    await file.close()
  }
}

/** What DuckDB writes, as a stream, not packed: it packs no text into a pipe that could be unpacked again (1.5.6). A JSON array is still lines. */
export async function convertedBytes(
  parts: Omit<WriteParts, 'path'>,
  session: FilesParts,
  signal: AbortSignal,
): Promise<{ readonly bytes: Readable; rows(): number }> {
  const { format } = parts.layout
  const layout: Layout = { format: format === 'json' ? 'ndjson' : format, compression: 'none' }
  const write = async (to: string, inner: AbortSignal) => {
    return { changed: await convertTo(to, { ...parts, layout }, session, inner), rows: [] }
  }
  return drain({ scratch: session.scratch, pipes: session.pipes }, write, signal)
}

/** DuckDB writes the file at `path`, which may be a pipe. */
export async function convertTo(path: string, parts: Omit<WriteParts, 'path'>, session: FilesParts, signal: AbortSignal): Promise<number> {
  const { duck, scratch, pipes } = session
  const { title, columns, bytes } = parts
  const dialect = (await isQuoteHeavy(bytes, signal)) ? 'quoted' : 'plain'
  const run = (...rows: Rows) =>
    feed(
      rows,
      { scratch, pipes },
      (from, inner) => duck.run(copyStatement(from, path, parts, dialect), { at: title, columns }, inner),
      signal,
    )
  const counter = new CsvCounter()
  const answer = await (dialect === 'quoted' ? run(bytes, counter) : run(bytes, counter, new CsvToPlain()))
  // Two readers of the same bytes that count differently: one of them took a row for what it is not.
  if (answer.changed !== counter.rows) {
    throw new Fault('ROW_INVALID', { at: `${title}: ${counter.rows} rows came and ${answer.changed} were understood.` })
  }
  return answer.changed
}

/** SQL that tells rows which the layout does not take (keep-rows.ts); undefined where it takes all text. `exact`: also values that are not of their type. */
export function triedBy({ format }: Layout, columns: readonly Column[], exact: boolean): ((path: string) => string) | undefined {
  const json = format === 'ndjson' || format === 'json'
  const typed = exact || format === 'parquet'
  if (!typed && !json) return undefined
  return (path) => firstMisfit(fileLiteral(path), columns, PLAIN_ROWS, { typed, ...(json && { refused: jsonRefused }) })
}

function copyStatement(from: string, path: string, { layout, form, columns }: Omit<WriteParts, 'path'>, dialect: Dialect): string {
  const { format, compression } = layout
  const to = literal(path)
  const options = { header: false, delimiter: ',', dialect }
  if (format === 'parquet') {
    const groups = form.rowGroupRows === undefined ? `row_group_size_bytes '64MB'` : `row_group_size ${form.rowGroupRows}`
    return `copy (select * from ${typedRows(fileLiteral(from), columns, options)}) to ${to} (format parquet, compression ${form.codec ?? 'zstd'}, ${groups}, use_tmp_file false)`
  }
  const text = textRows(fileLiteral(from), columns, options)
  const packed = `compression '${compression}', use_tmp_file false`
  if (format === 'ndjson') {
    // A quote that no line holds: the lines are complete as they are.
    return `copy (select ${ndjsonLine(columns)} as line from ${text}) to ${to} (format csv, header false, quote '', escape '', delimiter '\x01', ${packed})`
  }
  const named = columns.map(({ name }, i) => `c${i} as ${identifier(name)}`).join(', ')
  const { header, delimiter = ',', quote, escape: escaping, nullText } = form.dialect ?? dialectOf({}, format === 'tsv' ? 'tsv' : 'csv')
  const spelled = `header ${header}, delimiter ${literal(delimiter)}, quote ${literal(quote)}, escape ${literal(escaping)}, nullstr ${literal(nullText)}`
  return `copy (select ${named} from ${text}) to ${to} (format csv, ${spelled}, ${packed})`
}

async function hashOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash, { signal })
  return hash.digest('hex')
}
