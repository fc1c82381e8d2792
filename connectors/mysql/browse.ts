import type { Catalog, CatalogEntry } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { parseTableName, quoteIfNeeded, textLiteral } from './names.ts'
import type { Row } from './statement-run.ts'
import type { Aim, Work } from './work.ts'

const AIM: Aim = { doing: 'query', about: 'catalog' }
/** The most entries of one answer. */
const ENTRIES = 10_000

const DATABASES = `
  select schema_name from information_schema.schemata
   where schema_name not in ('mysql', 'sys', 'performance_schema', 'information_schema')
   order by schema_name limit ${ENTRIES + 1}`

const tables = (where: string) => `
  select table_name, table_type like '%VIEW', table_rows, data_length + index_length
    from information_schema.tables where ${where} order by table_name limit ${ENTRIES + 1}`

const columns = (where: string) => `
  select table_name, column_name, column_type, is_nullable = 'YES'
    from information_schema.columns where ${where} order by table_name, ordinal_position`

/** '' → databases; a database → its tables and views; a table → itself, with its columns. */
export async function browse(work: Work, path: string, signal: AbortSignal): Promise<Catalog> {
  if (path === '') {
    const rows = await work.rows(AIM, signal, DATABASES)
    return catalog(
      path,
      rows.map(([name]) => ({ name: name ?? '', path: quoteIfNeeded(name ?? ''), type: 'schema' })),
    )
  }
  const { database: first, table: second } = parseTableName(path)
  const database = first ?? second
  const one = first === undefined ? '' : ` and table_name = ${textLiteral(second)}`
  const where = `table_schema = ${textLiteral(database)}${one}`
  const found = await work.rows(AIM, signal, tables(where))
  const exists = found.length > 0 || (one === '' && (await databaseExists(work, database, signal)))
  if (!exists) throw new Fault('TABLE_MISSING', { at: path })
  const byTable = grouped(await work.rows(AIM, signal, columns(where)))
  return catalog(
    path,
    found.map(([name, view, rows, bytes]) => ({
      name: name ?? '',
      path: `${quoteIfNeeded(database)}.${quoteIfNeeded(name ?? '')}`,
      type: view === '1' ? 'view' : 'table',
      ...(view === '1' || rows === null || rows === undefined ? {} : { rows: Number(rows) }),
      ...(bytes === null || bytes === undefined ? {} : { bytes: Number(bytes) }),
      columns: byTable.get(name ?? '') ?? [],
    })),
  )
}

async function databaseExists(work: Work, name: string, signal: AbortSignal): Promise<boolean> {
  const sql = `select 1 from information_schema.schemata where schema_name = ${textLiteral(name)}`
  return (await work.rows(AIM, signal, sql)).length > 0
}

function grouped(rows: readonly Row[]) {
  const byTable = new Map<string, { name: string; type: string; nullable: boolean }[]>()
  for (const [table, name, type, nullable] of rows) {
    const list = byTable.get(table ?? '') ?? []
    byTable.set(table ?? '', list)
    list.push({ name: name ?? '', type: type ?? '', nullable: nullable === '1' })
  }
  return byTable
}

function catalog(path: string, entries: readonly CatalogEntry[]): Catalog {
  return { path, entries: entries.slice(0, ENTRIES), truncated: entries.length > ENTRIES }
}
