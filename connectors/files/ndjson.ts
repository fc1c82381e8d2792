import { Readable } from 'node:stream'
import { Fault } from '@postern/protocol/fault.ts'
import type { Column } from '../contract.ts'
import { openText } from './csv-head.ts'
import { fileFault } from './faults.ts'
import type { Input } from './inputs.ts'
import { rawMembers, textOf } from './ndjson-line.ts'
import { NdjsonTypes } from './ndjson-types.ts'

type Located = Input & { readonly absolute: string }

/** The longest line that is read; the size of the pieces of CSV that are handed on. */
const LIMITS = { lineChars: 16 << 20, chunkChars: 1 << 16 } as const

/** Looks at every line, so that every value fits the type of its column. */
export async function inspectNdjson(
  files: readonly Located[],
  signal: AbortSignal,
): Promise<{ readonly columns: readonly Column[]; readonly rows: number }> {
  const types = new NdjsonTypes()
  let rows = 0
  for await (const members of membersOf(files, signal)) {
    types.add(members)
    rows += 1
  }
  const columns = types.columns()
  if (columns.length === 0)
    throw new Fault('ROW_INVALID', { at: `file ${files[0]?.path}, line 1: there is no object to take columns from.` })
  return { columns, rows }
}

/** The rows in the `csv` encoding, values as they are written; what is missing is NULL. */
export function ndjsonToCsv(files: readonly Located[], columns: readonly Column[], signal: AbortSignal): Readable {
  return Readable.from(csvChunks(files, columns, signal), { objectMode: false, highWaterMark: LIMITS.chunkChars })
}

async function* csvChunks(files: readonly Located[], columns: readonly Column[], signal: AbortSignal): AsyncIterable<Buffer> {
  const of = columns.map(({ name, type }) => ({ name, json: type.is === 'json' }))
  let text = ''
  for await (const members of membersOf(files, signal)) {
    for (let i = 0; i < of.length; i += 1) {
      const column = of[i]
      if (i > 0) text += ','
      const raw = column && members.get(column.name)
      if (!column || raw === undefined || raw === 'null') continue
      text += cell(column.json ? raw : textOf(raw))
    }
    text += '\n'
    if (text.length >= LIMITS.chunkChars) {
      yield Buffer.from(text)
      text = ''
    }
  }
  if (text !== '') yield Buffer.from(text)
}

function cell(text: string): string {
  if (text === '') return '""'
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

async function* membersOf(files: readonly Located[], signal: AbortSignal): AsyncIterable<ReadonlyMap<string, string>> {
  for (const file of files) {
    let line = 0
    for await (const text of linesOf(file, signal)) {
      line += 1
      if (text.trim() === '') continue
      yield parse(text, file, line)
    }
  }
}

function parse(text: string, file: Located, line: number): ReadonlyMap<string, string> {
  const at = `file ${file.path}, line ${line}`
  try {
    const members = rawMembers(line === 1 ? text.replace(/^\uFEFF/, '') : text)
    if (members) return members
  } catch (cause) {
    // V8's message quotes the line; the position in it is what helps.
    const position = /position (\d+)/.exec(String(cause))?.[1]
    const column = position === undefined ? text.length : Number(position) + 1
    throw new Fault('ROW_INVALID', { at: `${at}, character ${column}: it is not JSON.` })
  }
  throw new Fault('ROW_INVALID', { at: `${at}: it is JSON, but not an object.` })
}

async function* linesOf(file: Located, signal: AbortSignal): AsyncIterable<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let rest = ''
  let line = 0
  try {
    for await (const chunk of openText(file.absolute, file.layout)) {
      signal.throwIfAborted()
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      line += lines.length
      if (rest.length > LIMITS.lineChars)
        throw new Fault('ROW_INVALID', { at: `file ${file.path}, line ${line + 1}: the line is longer than 16 MB.` })
      yield* lines
    }
    rest += decoder.decode()
  } catch (cause) {
    if (cause instanceof TypeError) throw new Fault('ROW_INVALID', { at: `file ${file.path}, after line ${line}: the text is not UTF-8.` })
    if (cause instanceof Error && 'code' in cause && /^(?:Z_|ZSTD_|ERR_.*Z)/.test(String(cause.code))) {
      throw new Fault('ROW_INVALID', { at: `file ${file.path}: it is not ${file.layout.compression}, or broken.`, cause })
    }
    throw fileFault(cause, `file ${file.path}`)
  }
  if (rest !== '') yield rest
}
