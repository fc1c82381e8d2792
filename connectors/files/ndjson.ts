import { Readable } from 'node:stream'
import { Fault } from '@postern/protocol/fault.ts'
import type { Column, LeftOut, SkippedRow } from '../copy-contract.ts'
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

/** Looks at every line, so that every value fits the type of its column. `skip`: lines that cannot be read are passed over. */
export async function inspectNdjson(
  files: readonly Located[],
  skip: boolean,
  signal: AbortSignal,
): Promise<{ readonly columns: readonly Column[]; readonly rows: number }> {
  const types = new NdjsonTypes()
  let rows = 0
  for await (const batch of batchesOf(files, skip, signal)) {
    for (const members of membersOf(batch)) {
      if (!(members instanceof BrokenLine)) types.add(members)
      rows += 1
    }
  }
  const columns = types.columns()
  if (columns.length === 0)
    throw new Fault('ROW_INVALID', { at: `file ${files[0]?.path}, line 1: there is no object to take columns from.` })
  return { columns, rows }
}

interface PlainRows {
  readonly files: readonly Located[]
  readonly columns: readonly Column[]
  /** Takes lines that cannot be read; where it is left out, they fail. */
  readonly left?: LeftOut | undefined
}

/** The rows in the plain dialect, values as they are written; what is missing is NULL. */
export function ndjsonToPlain(rows: PlainRows, signal: AbortSignal): Readable {
  return Readable.from(plainChunks(rows, signal), { objectMode: false, highWaterMark: 1 << 18 })
}

async function* plainChunks({ files, columns, left }: PlainRows, signal: AbortSignal): AsyncIterable<Buffer> {
  const of = columns.map(({ name, type }) => ({ name, json: type.is === 'json' }))
  let row = 0
  for await (const batch of batchesOf(files, left !== undefined, signal)) {
    let text = ''
    const broken: SkippedRow[] = []
    for (const members of membersOf(batch)) {
      row += 1
      if (members instanceof BrokenLine) {
        broken.push({ row, column: null, code: 'ROW_INVALID', error: members.at, bytes: members.bytes })
        continue
      }
      let separator = ''
      for (const { name, json } of of) {
        const raw = members.get(name)
        text += raw === undefined || raw === 'null' ? separator : separator + plainField(json ? raw : textOf(raw))
        separator = ','
      }
      text += '\n'
    }
    for (const each of broken) await left?.(each)
    if (text !== '') yield Buffer.from(text)
  }
}

/** Lines of one file that were read together: one wait for many rows. */
interface Batch {
  readonly file: Located
  readonly before: number
  readonly lines: readonly string[]
  /** Lines are bytes, a character each: any of them may be no UTF-8, and is told by itself. */
  readonly skip: boolean
}

/** A line that cannot be read, where that is no reason to fail. */
class BrokenLine {
  readonly at: string
  readonly bytes: Buffer

  constructor(at: string, bytes: Buffer) {
    this.at = at
    this.bytes = bytes
  }
}

function* membersOf({ file, before, lines, skip }: Batch): Iterable<ReadonlyMap<string, string> | BrokenLine> {
  for (const [i, line] of lines.entries()) {
    if (line === '' || line.trim() === '') continue
    const bytes = skip ? Buffer.from(line, 'latin1') : undefined
    const members = parse(bytes ? utf8(bytes) : line, file, before + i + 1)
    if (typeof members !== 'string') yield members
    else if (bytes) yield new BrokenLine(members, bytes)
    else throw new Fault('ROW_INVALID', { at: members })
  }
}

const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function utf8(bytes: Buffer): string | undefined {
  try {
    return STRICT.decode(bytes)
  } catch {
    return undefined
  }
}

/** Or what is wrong with it, and where. */
function parse(text: string | undefined, file: Located, line: number): ReadonlyMap<string, string> | string {
  const at = `file ${file.path}, line ${line}`
  if (text === undefined) return `${at}: the text is not UTF-8.`
  try {
    const members = rawMembers(line === 1 ? text.replace(/^\uFEFF/, '') : text)
    return members ?? `${at}: it is JSON, but not an object.`
  } catch (cause) {
    // V8's message quotes the line; the position in it is what helps.
    const position = /position (\d+)/.exec(String(cause))?.[1]
    const column = position === undefined ? text.length : Number(position) + 1
    return `${at}, character ${column}: it is not JSON.`
  }
}

async function* batchesOf(files: readonly Located[], skip: boolean, signal: AbortSignal): AsyncIterable<Batch> {
  for (const file of files) yield* batchesOfFile(file, skip, signal)
}

async function* batchesOfFile(file: Located, skip: boolean, signal: AbortSignal): AsyncIterable<Batch> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const textOf = (chunk: Buffer) => (skip ? chunk.toString('latin1') : decoder.decode(chunk, { stream: true }))
  let rest = ''
  let before = 0
  try {
    const text = openText(file.absolute, file.layout)
    for await (const chunk of file.layout.format === 'json' ? arrayLines(text, file.path) : text) {
      stopIfAborted(signal)
      const lines = (rest + textOf(chunk)).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > LINE_CHARS)
        throw new Fault('ROW_INVALID', { at: `file ${file.path}, line ${before + lines.length + 1}: the line is longer than 16 MB.` })
      yield { file, before, lines, skip }
      before += lines.length
    }
    if (!skip) rest += decoder.decode()
  } catch (cause) {
    if (cause instanceof TypeError)
      throw new Fault('ROW_INVALID', { at: `file ${file.path}, line ${before + 1} or soon after: the text is not UTF-8.` })
    throw textFault(cause, file.path, file.layout)
  }
  if (rest !== '') yield { file, before, lines: [rest], skip }
}
