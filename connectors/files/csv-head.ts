import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { Fault } from '@postern/protocol/fault.ts'
import type { CsvDialect } from './csv-dialect.ts'
import { errnoOf, fileFault, stopIfAborted } from './faults.ts'
import type { Layout } from './formats.ts'

/** The most bytes in which the header line must end. */
const HEAD_BYTES = 1 << 20

export interface CsvHead {
  readonly delimiter: string
  readonly names: readonly string[]
  /** Of UTF-8: the byte and the line at which the rows begin. */
  readonly dataAt: number
  readonly dataLine: number
}

/** Opens a file, decompressed. Destroying the result closes the file. */
export function openText(path: string, layout: Layout): Readable {
  return unpacked(createReadStream(path, { highWaterMark: 1 << 18 }), layout)
}

export function unpacked(file: Readable, layout: Layout): Readable {
  if (layout.compression === 'none') return file
  const plain = layout.compression === 'gzip' ? createGunzip() : createZstdDecompress()
  pipeline(file, plain, () => undefined)
  return plain
}

/** Text of another encoding as UTF-8; UTF-16 by its mark, little-endian without one. */
export async function* asUtf8(chunks: AsyncIterable<Buffer>, encoding: CsvDialect['encoding']): AsyncIterable<Buffer> {
  let decoder: InstanceType<typeof TextDecoder> | undefined
  for await (const chunk of chunks) {
    if (encoding === 'utf-8') yield chunk
    else if (encoding === 'latin1') yield Buffer.from(chunk.toString('latin1'))
    else {
      decoder ??= new TextDecoder(chunk[0] === 0xfe && chunk[1] === 0xff ? 'utf-16be' : 'utf-16le', { fatal: true })
      yield Buffer.from(decoder.decode(chunk, { stream: true }))
    }
  }
  // Fails when the text ends within a character.
  decoder?.decode()
}

/** Names of the columns by the header line, and what stands between them. */
export async function readCsvHead(
  bytes: Readable,
  layout: Layout,
  dialect: CsvDialect,
  title: string,
  signal: AbortSignal,
): Promise<CsvHead> {
  let text = ''
  try {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
    for await (const chunk of asUtf8(unpacked(bytes, layout), dialect.encoding)) {
      stopIfAborted(signal)
      text += decoder.decode(chunk, { stream: true })
      const head = headIn(text, false, layout, dialect, title)
      if (head) return head
      if (text.length > HEAD_BYTES)
        throw new Fault('ROW_INVALID', { at: `file ${title}, line 1: the header line has no end in its first MB.` })
    }
  } catch (cause) {
    throw textFault(cause, title, layout)
  } finally {
    bytes.destroy()
  }
  const head = headIn(text, true, layout, dialect, title)
  if (head) return head
  throw new Fault('ROW_INVALID', { at: `file ${title}, line 1: the file is empty; it must begin with a header line.` })
}

/** What goes wrong in reading a text file: of the file system, or in unpacking it. */
export function textFault(cause: unknown, title: string, { compression }: Layout): unknown {
  if (/^(?:Z_|ZSTD_|ERR_.*Z)/.test(errnoOf(cause))) {
    return new Fault('ROW_INVALID', { at: `file ${title}: it is not ${compression}, or broken.`, cause })
  }
  if (errnoOf(cause) === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
    return new Fault('ROW_INVALID', { at: `file ${title}: the text is not UTF-16.`, cause })
  }
  return fileFault(cause, `file ${title}`)
}

/** Undefined while its end is not there yet. */
function headIn(text: string, last: boolean, layout: Layout, dialect: CsvDialect, title: string): CsvHead | undefined {
  const bom = text.startsWith('\uFEFF') ? 1 : 0
  let at = bom
  let line = 1
  for (let skip = dialect.skipLines; skip > 0 || (dialect.comment !== '' && text.startsWith(dialect.comment, at)); skip -= 1) {
    const end = text.indexOf('\n', at)
    if (end < 0) return undefined
    at = end + 1
    line += 1
  }
  const end = recordEnd(text, at, dialect, last)
  if (end === undefined || (end === at && text.slice(at).trim() === '')) return undefined
  const record = text.slice(at, end).replace(/\r$/, '')
  const delimiter = dialect.delimiter ?? (layout.format === 'tsv' ? '\t' : likeliestDelimiter(record, dialect))
  const cells = splitRecord(record, delimiter, dialect)
  const place = `file ${title}, line ${line}`
  if (!dialect.header) {
    const names = dialect.columns ?? cells.map((_, i) => `col${i + 1}`)
    if (names.length === cells.length) return { delimiter, names, dataAt: Buffer.byteLength(text.slice(0, at)), dataLine: line }
    throw new Fault('COLUMN_MISMATCH', { at: `${place}: it has ${cells.length} columns, and columns names ${names.length}.` })
  }
  refuseNames(cells, place)
  const next = text.startsWith('\r\n', end) ? end + 2 : end + 1
  const dataAt = Buffer.byteLength(text.slice(0, next))
  return { delimiter, names: dialect.columns ?? cells, dataAt, dataLine: line + record.split('\n').length }
}

function refuseNames(names: readonly string[], place: string): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new Fault('COLUMN_MISMATCH', { at: `${place}: two columns are named "${twice}".` })
  const empty = names.indexOf('')
  if (empty >= 0) throw new Fault('COLUMN_MISMATCH', { at: `${place}: column ${empty + 1} has no name.` })
}

/** Where the first line end outside of quotes is. */
function recordEnd(text: string, from: number, { quote, escape: escaping }: CsvDialect, last: boolean): number | undefined {
  let quoted = false
  for (let i = from; i < text.length; i += 1) {
    const char = text[i]
    if (quoted && escaping !== quote && char === escaping) i += 1
    else if (quote !== '' && char === quote) quoted = !quoted
    else if (!quoted && (char === '\n' || (char === '\r' && i + 1 < text.length))) return i
  }
  return last ? text.length : undefined
}

/** Of "," ";" tab and "|" the one that cuts the header line into the most columns. */
function likeliestDelimiter(line: string, dialect: CsvDialect): string {
  let best = ','
  for (const delimiter of [';', '\t', '|']) {
    if (splitRecord(line, delimiter, dialect).length > splitRecord(line, best, dialect).length) best = delimiter
  }
  return best
}

export function splitRecord(line: string, delimiter: string, { quote, escape: escaping }: Pick<CsvDialect, 'quote' | 'escape'>): string[] {
  const cells: string[] = []
  let cell = ''
  let quoted = false
  for (let i = 0; i < line.length; i += 1) {
    const char = line[i]
    if (quoted && char === escaping && (line[i + 1] === quote || line[i + 1] === escaping)) {
      cell += line[i + 1]
      i += 1
    } else if (quote !== '' && char === quote) quoted = !quoted
    else if (char === delimiter && !quoted) {
      cells.push(cell)
      cell = ''
    } else cell += char
  }
  cells.push(cell)
  return cells
}
