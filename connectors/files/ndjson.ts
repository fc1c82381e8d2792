import { Readable } from 'node:stream'
import { Fault } from '@postern/protocol/fault.ts'
import type { Column } from '../copy-contract.ts'
import { openText, textFault } from './csv-head.ts'
import { stopIfAborted } from './faults.ts'
import type { Input } from './inputs.ts'
import { arrayLines } from './json-array.ts'
import { rawMembers, textOf } from './ndjson-line.ts'
import { NdjsonTypes } from './ndjson-types.ts'
import { plainField } from './plain.ts'

type Located = Input & { readonly absolute: string }

/** The longest line that is read. */
const LINE_CHARS = 16 << 20

/** Looks at every line, so that every value fits the type of its column. */
export async function inspectNdjson(
  files: readonly Located[],
  signal: AbortSignal,
): Promise<{ readonly columns: readonly Column[]; readonly rows: number }> {
  const types = new NdjsonTypes()
  let rows = 0
  for await (const batch of batchesOf(files, signal)) {
    for (const members of membersOf(batch)) {
      types.add(members)
      rows += 1
    }
  }
  const columns = types.columns()
  if (columns.length === 0)
    throw new Fault('ROW_INVALID', { at: `file ${files[0]?.path}, line 1: there is no object to take columns from.` })
  return { columns, rows }
}

/** The rows in the plain dialect, values as they are written; what is missing is NULL. */
export function ndjsonToPlain(files: readonly Located[], columns: readonly Column[], signal: AbortSignal): Readable {
  return Readable.from(plainChunks(files, columns, signal), { objectMode: false, highWaterMark: 1 << 18 })
}

async function* plainChunks(files: readonly Located[], columns: readonly Column[], signal: AbortSignal): AsyncIterable<Buffer> {
  const of = columns.map(({ name, type }) => ({ name, json: type.is === 'json' }))
  for await (const batch of batchesOf(files, signal)) {
    let text = ''
    for (const members of membersOf(batch)) {
      let separator = ''
      for (const { name, json } of of) {
        const raw = members.get(name)
        text += raw === undefined || raw === 'null' ? separator : separator + plainField(json ? raw : textOf(raw))
        separator = ','
      }
      text += '\n'
    }
    if (text !== '') yield Buffer.from(text)
  }
}

/** Lines of one file that were read together: one wait for many rows. */
interface Batch {
  readonly file: Located
  readonly before: number
  readonly lines: readonly string[]
}

function* membersOf({ file, before, lines }: Batch): Iterable<ReadonlyMap<string, string>> {
  for (const [i, line] of lines.entries()) {
    if (line !== '' && line.trim() !== '') yield parse(line, file, before + i + 1)
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

async function* batchesOf(files: readonly Located[], signal: AbortSignal): AsyncIterable<Batch> {
  for (const file of files) yield* batchesOfFile(file, signal)
}

async function* batchesOfFile(file: Located, signal: AbortSignal): AsyncIterable<Batch> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let rest = ''
  let before = 0
  try {
    const text = openText(file.absolute, file.layout)
    for await (const chunk of file.layout.format === 'json' ? arrayLines(text, file.path) : text) {
      stopIfAborted(signal)
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > LINE_CHARS)
        throw new Fault('ROW_INVALID', { at: `file ${file.path}, line ${before + lines.length + 1}: the line is longer than 16 MB.` })
      yield { file, before, lines }
      before += lines.length
    }
    rest += decoder.decode()
  } catch (cause) {
    if (cause instanceof TypeError)
      throw new Fault('ROW_INVALID', { at: `file ${file.path}, line ${before + 1} or soon after: the text is not UTF-8.` })
    throw textFault(cause, file.path, file.layout)
  }
  if (rest !== '') yield { file, before, lines: [rest] }
}
