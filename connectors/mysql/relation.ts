import type { Column } from '../copy-contract.ts'
import { quoteIfNeeded, quoteTable, type TableName, textLiteral } from './names.ts'
import { StatementRun } from './statement-run.ts'
import { logicalType, type TypeOptions } from './types.ts'
import type { Wire } from './wire.ts'

export interface RelationColumn extends Column {
  readonly generated: boolean
  readonly hasDefault: boolean
}

export interface UniqueIndex {
  readonly name: string
  readonly columns: readonly string[]
  /** All of its columns are NOT NULL and whole, none is an expression or a prefix. */
  readonly strict: boolean
}

/** A table or view as the catalogue has it. */
export interface Relation {
  readonly database: string
  readonly table: string
  /** Quoted, for SQL. */
  readonly sql: string
  /** For a person. */
  readonly title: string
  readonly isTable: boolean
  /** "InnoDB"; empty for a view. */
  readonly engine: string
  readonly columns: readonly RelationColumn[]
  readonly uniques: readonly UniqueIndex[]
  /** Columns of the primary key, else of the smallest unique index without nulls. */
  readonly key: readonly string[]
  readonly rows: number | null
  readonly bytes: number | null
}

const facts = (where: string) => `
  select table_schema, table_name, table_type, engine, table_rows, data_length
    from information_schema.tables where ${where}`

const columnsOf = (where: string) => `
  select column_name, column_type, is_nullable, extra, column_default is not null, character_set_name, collation_name
    from information_schema.columns where ${where} order by ordinal_position`

const uniquesOf = (where: string) => `
  select index_name, column_name, nullable, sub_part
    from information_schema.statistics where ${where} and non_unique = 0
   order by index_name = 'PRIMARY' desc, index_name, seq_in_index`

/** MariaDB's json is longtext with this check. */
const jsonOf = (database: string, table: string) => `
  select check_clause from information_schema.check_constraints
   where constraint_schema = ${textLiteral(database)} and table_name = ${textLiteral(table)} and check_clause like 'json\\_valid(%'`

export async function findRelation(
  wire: Wire,
  name: TableName & { readonly database: string },
  options: TypeOptions,
): Promise<Relation | undefined> {
  const where = `table_schema = ${textLiteral(name.database)} and table_name = ${textLiteral(name.table)}`
  const [row] = (await StatementRun.one(wire, facts(where))).rows
  if (!row) return undefined
  const [database, table, type, engine, rows, bytes] = row
  const found = { database: database ?? '', table: table ?? '' }
  const uniques = await readUniques(wire, where)
  return {
    ...found,
    sql: quoteTable(found),
    title: `${quoteIfNeeded(found.database)}.${quoteIfNeeded(found.table)}`,
    isTable: type === 'BASE TABLE',
    engine: engine ?? '',
    columns: await readColumns(wire, found, where, options),
    uniques,
    key: keyOf(uniques),
    rows: rows === null || rows === undefined ? null : Number(rows),
    bytes: bytes === null || bytes === undefined ? null : Number(bytes),
  }
}

async function readColumns(
  wire: Wire,
  { database, table }: { readonly database: string; readonly table: string },
  where: string,
  options: TypeOptions,
): Promise<readonly RelationColumn[]> {
  const { rows } = await StatementRun.one(wire, columnsOf(where))
  const checks = wire.isMariadb ? (await StatementRun.one(wire, jsonOf(database, table))).rows.map(([clause]) => clause ?? '') : []
  return rows.map(([column, type, nullable, extra, hasDefault, charset, collation]) => {
    const name = column ?? ''
    const isJson = type === 'longtext' && checks.includes(`json_valid(\`${name.replaceAll('`', '``')}\`)`)
    const native = isJson ? 'json' : `${type ?? ''}${charsetOf(charset, collation)}`
    return {
      name,
      type: logicalType(native, options),
      native,
      nullable: nullable === 'YES',
      generated: /GENERATED|VIRTUAL|PERSISTENT|STORED/i.test((extra ?? '').replace(/DEFAULT_GENERATED/gi, '')),
      hasDefault: hasDefault === '1' || /auto_increment/i.test(extra ?? ''),
    }
  })
}

/** Only what is not UTF-8, and whether it tells capitals apart. */
function charsetOf(charset: string | null | undefined, collation: string | null | undefined): string {
  if (!charset || charset === 'binary') return ''
  const set = charset === 'utf8mb4' ? '' : ` character set ${charset}`
  return collation?.endsWith('_bin') ? `${set} collate ${collation}` : set
}

async function readUniques(wire: Wire, where: string): Promise<readonly UniqueIndex[]> {
  const { rows } = await StatementRun.one(wire, uniquesOf(where))
  const byName = new Map<string, { columns: string[]; strict: boolean }>()
  for (const [index, column, nullable, prefix] of rows) {
    const unique = byName.get(index ?? '') ?? { columns: [], strict: true }
    byName.set(index ?? '', unique)
    unique.columns.push(column ?? '')
    if (!column || nullable === 'YES' || prefix !== null) unique.strict = false
  }
  return [...byName].map(([name, unique]) => ({ name, ...unique }))
}

function keyOf(uniques: readonly UniqueIndex[]): readonly string[] {
  const strict = uniques.filter((unique) => unique.strict)
  const primary = strict.find(({ name }) => name === 'PRIMARY')
  return (primary ?? [...strict].sort((a, b) => a.columns.length - b.columns.length)[0])?.columns ?? []
}
