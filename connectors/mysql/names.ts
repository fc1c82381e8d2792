import { Fault } from '@postern/protocol/fault.ts'

export interface TableName {
  /** Undefined: the store's own database. */
  readonly database: string | undefined
  readonly table: string
}

const PART = /^\s*(?:`((?:[^`]|``)+)`|"((?:[^"]|"")+)"|([\p{L}\p{N}_$]+))\s*/u

/** `table`, `database.table`, each quoted (with ` or ") or not. */
export function parseTableName(text: string): TableName {
  const names: string[] = []
  let rest = text
  for (;;) {
    const match = PART.exec(rest)
    if (!match) throw malformed(text)
    const [whole, ticked, quoted, plain] = match
    names.push(ticked?.replaceAll('``', '`') ?? quoted?.replaceAll('""', '"') ?? plain ?? '')
    rest = rest.slice(whole.length)
    if (rest === '') break
    if (!rest.startsWith('.') || names.length === 2) throw malformed(text)
    rest = rest.slice(1)
  }
  const [first = '', second] = names
  return second === undefined ? { database: undefined, table: first } : { database: first, table: second }
}

function malformed(text: string): Fault {
  return new Fault('INPUT_INVALID', {
    at: `"${text.slice(0, 200)}" does not name a table.`,
    remedy: 'Write table, database.table, `quoted`.`names` or (select ...).',
  })
}

export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

export function quoteTable({ database, table }: TableName): string {
  return database === undefined ? quoteName(table) : `${quoteName(database)}.${quoteName(table)}`
}

/** As a person would write it. */
export function quoteIfNeeded(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_$]*$/.test(name) ? name : quoteName(name)
}

/** Text as SQL, whatever the sql_mode and the connection's character set. */
export function textLiteral(text: string): string {
  return text === '' ? `''` : `convert(x'${Buffer.from(text).toString('hex')}' using utf8mb4)`
}
