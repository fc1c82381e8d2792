import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { Fault } from '@postern/protocol/fault.ts'
import { errnoOf, fileFault, stopIfAborted } from './faults.ts'
import type { Layout } from './formats.ts'

/** The most bytes in which the header line must end. */
const HEAD_BYTES = 1 << 20

export interface CsvHead {
  readonly delimiter: string
  readonly names: readonly string[]
}

/** Opens a file, decompressed. Destroying the result closes the file. */
export function openText(path: string, layout: Layout): Readable {
  const file = createReadStream(path, { highWaterMark: 1 << 18 })
  if (layout.compression === 'none') return file
  const plain = layout.compression === 'gzip' ? createGunzip() : createZstdDecompress()
  pipeline(file, plain, () => undefined)
  return plain
}

/** Names of the columns by the header line, and what stands between them. */
export async function readCsvHead(path: string, layout: Layout, title: string, signal: AbortSignal): Promise<CsvHead> {
  let text = ''
  try {
    const decoder = new TextDecoder()
    for await (const chunk of openText(path, layout)) {
      stopIfAborted(signal)
      text += decoder.decode(chunk, { stream: true })
      const line = headerLine(text)
      if (line !== undefined) return parseHead(line, layout, title)
      if (text.length > HEAD_BYTES)
        throw new Fault('ROW_INVALID', { at: `file ${title}, line 1: the header line has no end in its first MB.` })
    }
  } catch (cause) {
    throw textFault(cause, title, layout)
  }
  if (text.trim() === '')
    throw new Fault('ROW_INVALID', { at: `file ${title}, line 1: the file is empty; it must begin with a header line.` })
  return parseHead(text, layout, title)
}

/** What goes wrong in reading a text file: of the file system, or in unpacking it. */
export function textFault(cause: unknown, title: string, { compression }: Layout): unknown {
  if (/^(?:Z_|ZSTD_|ERR_.*Z)/.test(errnoOf(cause))) {
    return new Fault('ROW_INVALID', { at: `file ${title}: it is not ${compression}, or broken.`, cause })
  }
  return fileFault(cause, `file ${title}`)
}

/** The text up to the first line end that is outside of quotes. */
function headerLine(text: string): string | undefined {
  let quoted = false
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] === '"') quoted = !quoted
    else if (!quoted && (text[i] === '\n' || (text[i] === '\r' && i + 1 < text.length))) return text.slice(0, i)
  }
  return undefined
}

function parseHead(line: string, layout: Layout, title: string): CsvHead {
  const plain = line.replace(/^\uFEFF/, '').replace(/\r$/, '')
  const delimiter = layout.format === 'tsv' ? '\t' : likeliestDelimiter(plain)
  const names = splitRecord(plain, delimiter)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new Fault('COLUMN_MISMATCH', { at: `file ${title}, line 1: two columns are named "${twice}".` })
  const empty = names.indexOf('')
  if (empty >= 0) throw new Fault('COLUMN_MISMATCH', { at: `file ${title}, line 1: column ${empty + 1} has no name.` })
  return { delimiter, names }
}

/** Of "," ";" tab and "|" the one that cuts the header line into the most columns. */
function likeliestDelimiter(line: string): string {
  let best = ','
  for (const delimiter of [';', '\t', '|']) {
    if (splitRecord(line, delimiter).length > splitRecord(line, best).length) best = delimiter
  }
  return best
}

export function splitRecord(line: string, delimiter: string): string[] {
  const cells: string[] = []
  let cell = ''
  let quoted = false
  for (let i = 0; i < line.length; i += 1) {
    const char = line[i]
    if (quoted && char === '"' && line[i + 1] === '"') {
      cell += '"'
      i += 1
    } else if (char === '"') quoted = !quoted
    else if (char === delimiter && !quoted) {
      cells.push(cell)
      cell = ''
    } else cell += char
  }
  cells.push(cell)
  return cells
}
