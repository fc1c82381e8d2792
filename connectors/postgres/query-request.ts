/** What is sent for one user's statement, in one write, and how its answers are to be told apart. */

import type { CellColumn } from '../formats/encoder.ts'
import type { Statement } from '../query-contract.ts'
import { FLUSH, proveStatement, runNamed, SYNC, statement } from './messages.ts'
import { BEGIN_NAMED, END_NAMED, type NamedText, type StatementNames, type TextCounts } from './statement-names.ts'

const BEGIN_READ = statement('begin read only')
const BEGIN_WRITE = statement('begin read write')
const COMMIT = statement('commit')
/**
 * A session goes to the next caller only as it was after sign-in. ROLLBACK takes back every setting, role and LISTEN of a
 * read; DISCARD ALL what is not transactional: prepared statements, advisory locks, temporary tables, sequences.
 */
export const RESET = Buffer.concat([statement('discard all'), SYNC])
export const ROLLBACK_AND_RESET = Buffer.concat([statement('rollback'), statement('discard all'), SYNC])
const AFTER_READ = Buffer.concat([SYNC, ROLLBACK_AND_RESET])
const AFTER_WRITE = Buffer.concat([COMMIT, SYNC])

export interface QueryRequest {
  readonly bytes: Buffer
  /** The rows come as COPY data. */
  readonly copy: boolean
  /**
   * In one go with its check and its end (statement-names.ts). The statements before the user's, which complete too.
   * Undefined: the reset follows apart, whatever was run.
   */
  readonly before?: number
  /** The user's statement, where it is prepared under a name. */
  readonly named?: NamedText | undefined
  /** To be sent once the columns are known, which `bytes` asks for: each comes in the form that is cheapest. */
  readonly rest?: ((columns: readonly CellColumn[]) => Buffer) | undefined
  /** What the check is to answer. */
  readonly expected?: string
}

/** The plain way: for what writes or copies, and where names cannot be used. */
export function plainRequest(asked: Statement): QueryRequest {
  const { sql, params, maxRows = 0 } = asked
  const begin = [asked.mode === 'read' ? BEGIN_READ : BEGIN_WRITE, ...timeoutOf(asked)]
  const after = asked.mode === 'read' ? AFTER_READ : AFTER_WRITE
  const copied = copyText(asked)
  if (copied === undefined) {
    return { copy: false, bytes: Buffer.concat([...begin, statement(sql, { params, describe: true, maxRows }), after]) }
  }
  // If the text alone is not one valid statement, the server skips the COPY that follows: nothing can hide behind a bracket.
  const copying = statement(`copy (${copied}\n) to stdout (format csv)`)
  return { copy: true, bytes: Buffer.concat([...begin, proveStatement(copied), copying, after]) }
}

/** A read whose session is as it was when the answer has come: one round trip, one flush of the server, and no reset. */
export function namedRequest(asked: Statement, names: StatementNames, texts: TextCounts): QueryRequest {
  const { sql, params, maxRows = 0 } = asked
  const before = asked.timeoutMs === undefined ? 1 : 2
  const parts = [names.prepareOwn(), BEGIN_NAMED, ...timeoutOf(asked)]
  if (asked.format === 'arrow') {
    parts.push(proveStatement(sql), FLUSH)
    const rest = (columns: readonly CellColumn[]) => {
      const formats = columns.map(({ binary }) => (binary ? 1 : 0))
      return Buffer.concat([runNamed('', { params, maxRows, formats }), END_NAMED, SYNC])
    }
    return { bytes: Buffer.concat(parts), rest, copy: false, before, expected: names.expected }
  }
  let named = names.find(sql)
  if (!named && texts.often(sql)) {
    const added = names.add(sql)
    named = added.named
    parts.push(added.bytes)
  }
  if (named) parts.push(runNamed(named.name, { params, maxRows, describe: named.columns === undefined }))
  else parts.push(statement(sql, { params, maxRows, describe: true }))
  parts.push(END_NAMED, SYNC)
  return { bytes: Buffer.concat(parts), copy: false, before, named, expected: names.expected }
}

/** A named statement is not there, or not as it was: there is a pooler in between, or the table has changed. */
export function nameLost(sqlState: string): boolean {
  return sqlState === '26000' || sqlState === '42P05' || sqlState === '0A000'
}

export function canBeNamed(asked: Statement): boolean {
  return asked.mode === 'read' && copyText(asked) === undefined
}

/** `local`: it ends with the transaction. Left out where nobody chose a time-out, for it is one statement more. */
function timeoutOf({ timeoutMs }: Statement): readonly Buffer[] {
  return timeoutMs === undefined ? [] : [statement(`set local statement_timeout = ${Math.ceil(timeoutMs)}`)]
}

/** The statement as COPY takes it, or undefined where rows must be read one by one. */
function copyText({ sql, params, maxRows, format }: Statement): string | undefined {
  if (format !== 'csv' || params.length > 0 || maxRows !== undefined) return undefined
  const text = sql.replace(/[\s;]+$/, '')
  return /^\s*(select|values|with|table)\b/i.test(text) && !text.includes(';') ? text : undefined
}
