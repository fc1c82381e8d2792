import { Fault } from '@postern/protocol/fault.ts'
import { quoteName } from '../digest.ts'

export interface TableName {
  /** Undefined: by the search path. */
  readonly schema: string | undefined
  readonly table: string
}

const PART = /^\s*(?:"((?:[^"]|"")+)"|([\p{L}_][\p{L}\p{N}_$]*))\s*/u

/** `table`, `schema.table`, each quoted or not; what is not quoted is lower case, as PostgreSQL has it. */
export function parseTableName(text: string): TableName {
  const names: string[] = []
  let rest = text
  for (;;) {
    const match = PART.exec(rest)
    if (!match) throw malformed(text)
    names.push(match[1] === undefined ? (match[2] ?? '').toLowerCase() : match[1].replaceAll('""', '"'))
    rest = rest.slice(match[0].length)
    if (rest === '') break
    if (!rest.startsWith('.') || names.length === 2) throw malformed(text)
    rest = rest.slice(1)
  }
  const [first = '', second] = names
  return second === undefined ? { schema: undefined, table: first } : { schema: first, table: second }
}

function malformed(text: string): Fault {
  return new Fault('INPUT_INVALID', {
    at: `"${text.slice(0, 200)}" does not name a table.`,
    remedy: 'Write table, schema.table, "Quoted"."Names" or (select ...).',
  })
}

export function quoteTable(name: TableName): string {
  return name.schema === undefined ? quoteName(name.table) : `${quoteName(name.schema)}.${quoteName(name.table)}`
}
