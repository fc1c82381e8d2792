/** One statement on one connection of DuckDB: looked at, then run as a stream of rows of text. */
import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  type DuckDBConnection,
  type DuckDBPreparedStatement,
  type DuckDBResult,
  type DuckDBValue,
  VARCHAR,
} from '@duckdb/node-api'
import { Fault } from '@postern/protocol/fault.ts'
import type { Column, LogicalType } from '../copy-contract.ts'
import type { CellColumn } from '../formats/encoder.ts'
import { guardStatement } from './query-guard.ts'
import type { QueryPaths } from './query-paths.ts'
import { fromNative, logicalType, toCsv } from './types.ts'

export interface QueryRequest {
  readonly sql: string
  readonly params: readonly (string | number | boolean | null)[]
  readonly maxRows?: number | undefined
}

export interface QueryRows {
  readonly columns: readonly CellColumn[]
  /** Every cell is text, as the encoders want it; the last column is the mark. */
  readonly result: DuckDBResult
  /** To be called when the rows ended without the mark: throws what DuckDB had to say. */
  readonly broken: () => Promise<never>
}

/**
 * A stream of DuckDB that fails ends as if it were whole, and says nothing (DuckDB's C API 1.5: duckdb_fetch_chunk). So each result
 * has one row more, the last, that only comes when all others did.
 */
export const MARK = 'whole'

const EXPLAIN = /^\s*explain\s+(analyze\s+)?/i
const READ_ONLY = 'Files are only read by queries; `postern copy` writes them.'

export async function openQuery(connection: DuckDBConnection, request: QueryRequest, paths: QueryPaths): Promise<QueryRows> {
  const explain = EXPLAIN.exec(request.sql)
  const sql = await guarded(connection, explain ? request.sql.slice(explain[0].length) : request.sql, paths)
  for (const view of paths.views) await connection.run(view)
  const limit = request.maxRows === undefined ? '' : ` limit ${request.maxRows}`
  if (explain) {
    const lines = await (await prepare(connection, `explain ${explain[1] ?? ''}${sql}`, request)).run()
    const [line] = await lines.getRows()
    return explained(connection, String(line?.[1] ?? ''))
  }
  const described = await columnsOf(connection, sql, request)
  const cells = described.map((column, i) => `cast(${cellSql(`c${i}`, column)} as varchar)`)
  const names = described.map((_, i) => `c${i}`)
  const rows = (what: string) => `select ${what} from (${sql}) as t(${names.join(', ')})${limit}`
  const marked = `(${rows(`${cells.join(', ')}, null`)}) union all (select ${cells.map(() => 'null').join(', ')}, '${MARK}')`
  return {
    columns: described.map(cellColumn),
    result: await (await prepare(connection, marked, request)).stream(),
    broken: async () => {
      await (await prepare(connection, `select bit_xor(hash(${cells.join(', ')})) from (${rows('*')})`, request)).run()
      throw new Fault('QUERY_FAILED', { at: 'It failed while its rows were read, and not when it was tried again.' })
    },
  }
}

async function explained(connection: DuckDBConnection, plan: string): Promise<QueryRows> {
  const columns = [{ name: 'plan', kind: 'text' as const }]
  const result = await (
    await prepare(connection, `select unnest(string_split($1, chr(10))), null union all select null, '${MARK}'`, { params: [plan] })
  ).stream()
  return { columns, result, broken: () => Promise.reject(new Fault('INTERNAL', { at: 'the plan of the statement was cut' })) }
}

/** The statement as DuckDB prints it, with the files that it may read in place of paths. */
async function guarded(connection: DuckDBConnection, sql: string, paths: QueryPaths): Promise<string> {
  const tree = parseTree(await one(connection, 'select cast(json_serialize_sql(cast($1 as varchar)) as varchar)', sql)) as {
    error: boolean
    error_type?: string
    error_message?: string
    statements?: readonly unknown[]
  }
  if (tree.error) {
    if (tree.error_type === 'not implemented') {
      const word = /[a-z]+/i.exec(sql)?.[0]?.toUpperCase() ?? ''
      throw new Fault('QUERY_READ_ONLY', { at: `(${word} is no SELECT.)`, remedy: READ_ONLY })
    }
    throw new Fault('QUERY_FAILED', { at: oneLine(tree.error_message ?? '') })
  }
  if (tree.statements?.length !== 1)
    throw new Fault('QUERY_FAILED', { at: `One statement is wanted, not ${tree.statements?.length ?? 0}.` })
  await guardStatement(tree.statements, paths)
  return one(connection, 'select json_deserialize_sql(cast($1 as json))', JSON.stringify(tree))
}

/** Numbers stay as they are spelled: a constant of 19 digits is the same when the tree goes back. */
function parseTree(text: string): unknown {
  const spelled = JSON as unknown as { rawJSON(text: string): unknown }
  const reviver = (_: string, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' && context?.source !== undefined ? spelled.rawJSON(context.source) : value
  return JSON.parse(text, reviver)
}

async function one(connection: DuckDBConnection, sql: string, value: string): Promise<string> {
  const result = await connection.run(sql, [value], [VARCHAR])
  const [row] = await result.getRows()
  return String(row?.[0] ?? '')
}

/** Names and types as they are with these values: without them DuckDB does not know what a bare parameter is. */
async function columnsOf(connection: DuckDBConnection, sql: string, request: QueryRequest): Promise<readonly Column[]> {
  const shown = /^(?:describe|summarize|show)\b/i.test(sql) ? `select * from (${sql})` : sql
  const prepared = await prepare(connection, `select column_name, column_type from (describe ${shown})`, request)
  try {
    const rows = await (await prepared.run()).getRows()
    return rows.map(([name, native]) => ({
      name: String(name),
      native: String(native),
      type: logicalType(String(native)),
      nullable: true,
    }))
  } finally {
    prepared.destroySync()
  }
}

async function prepare(
  connection: DuckDBConnection,
  sql: string,
  { params }: Pick<QueryRequest, 'params'>,
): Promise<DuckDBPreparedStatement> {
  const prepared = await connection.prepare(sql)
  if (prepared.parameterCount !== params.length) {
    const at = `The statement has ${prepared.parameterCount} parameters, ${params.length} values were given.`
    prepared.destroySync()
    throw new Fault('QUERY_FAILED', { at })
  }
  for (const [i, value] of params.entries()) bind(prepared, i + 1, value)
  return prepared
}

function bind(prepared: DuckDBPreparedStatement, at: number, value: string | number | boolean | null): void {
  if (value === null) prepared.bindNull(at)
  else if (typeof value === 'boolean') prepared.bindValue(at, value, BOOLEAN)
  else if (typeof value === 'string') prepared.bindValue(at, value, VARCHAR)
  else if (Number.isSafeInteger(value)) prepared.bindValue(at, BigInt(value) as DuckDBValue, BIGINT)
  else prepared.bindValue(at, value, DOUBLE)
}

/** JSON shows the names of nested values; all else is as in a copy. */
function cellSql(reference: string, column: Column): string {
  return toCsv(fromNative(reference, column), column.type)
}

function cellColumn({ name, type }: Column): CellColumn {
  return { name, ...kindOf(type.is) }
}

function kindOf(is: LogicalType['is']): Omit<CellColumn, 'name'> {
  switch (is) {
    case 'int16':
      return { kind: 'int', bits: 16 }
    case 'int32':
      return { kind: 'int', bits: 32 }
    case 'int64':
      return { kind: 'int', bits: 64 }
    case 'float32':
      return { kind: 'float', bits: 32 }
    case 'float64':
      return { kind: 'float', bits: 64 }
    case 'other':
      return { kind: 'text' }
    default:
      return { kind: is }
  }
}

export function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 400)
}
