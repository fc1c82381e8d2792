import { DuckDBInstance } from '@duckdb/node-api'
import { Secret, silentLog } from '@postern/base/log.ts'
import { NASTY_COLUMNS, nastyTable } from '@postern/testkit/nasty-rows.ts'
import { testDatabase } from '@postern/testkit/postgres.ts'
import { expect, test } from 'vitest'
import type { Column } from './copy-contract.ts'
import { type Dialect, digestQuery, rowText } from './digest.ts'
import { postgres } from './postgres/index.ts'

const DUCKDB_TYPES: Readonly<Record<string, string>> = {
  boolean: 'BOOLEAN',
  smallint: 'SMALLINT',
  integer: 'INTEGER',
  bigint: 'BIGINT',
  'numeric(38,10)': 'DECIMAL(38,10)',
  'numeric(2,2)': 'DECIMAL(2,2)',
  real: 'FLOAT',
  'double precision': 'DOUBLE',
  text: 'VARCHAR',
  bytea: 'BLOB',
  date: 'DATE',
  time: 'TIME',
  timestamp: 'TIMESTAMP',
  timestamptz: 'TIMESTAMPTZ',
  uuid: 'UUID',
  json: 'VARCHAR',
}

/** A value as DuckDB takes it, from PostgreSQL's text. */
function duckdbLiteral(type: string, text: string | null): string {
  if (text === null) return 'NULL'
  if (type === 'bytea') return text === '\\x' ? `''::BLOB` : `'${text.slice(2).replace(/../g, '\\x$&')}'::BLOB`
  const quoted = `'${text.replace(/^(\d+-\d\d-\d\d(?: [\d:.]+(?:\+\d\d)?)?) BC$/, '$1').replaceAll("'", "''")}'`
  if (!text.endsWith(' BC')) return `${quoted}::${DUCKDB_TYPES[type]}`
  const [date = '', time = ''] = text.slice(0, -3).split(' ')
  return `'${date} (BC)${time === '' ? '' : ` ${time}`}'::${DUCKDB_TYPES[type]}`
}

test('PostgreSQL and DuckDB give the same digest of the nastiest rows', async () => {
  await using db = await testDatabase()
  await nastyTable(db, 'nasty')
  const session = await postgres.open({
    settings: { host: db.host, port: db.port, database: db.name, user: db.user },
    secrets: { password: new Secret(db.password) },
    log: silentLog,
    scratch: '/tmp',
  })
  await using _closing = session
  const shape = await session.source?.describe('nasty', {}, AbortSignal.timeout(10_000))
  const names = new Set(NASTY_COLUMNS.map(([name]) => name))
  const columns: readonly Column[] = shape?.columns.filter((column) => names.has(column.name)) ?? []
  const client = await db.connect()
  await client.query(`set timezone = 'UTC'; set datestyle = 'ISO'`)
  const { rows } = await client.query<Record<string, string | null>>(
    `select ${NASTY_COLUMNS.map(([name]) => `"${name}"::text`).join(', ')} from nasty order by id`,
  )
  const duckdb = await (await DuckDBInstance.create(':memory:')).connect()
  await duckdb.run(`create table nasty (${NASTY_COLUMNS.map(([name, type]) => `"${name}" ${DUCKDB_TYPES[type]}`).join(', ')})`)
  for (const row of rows) {
    await duckdb.run(`insert into nasty values (${NASTY_COLUMNS.map(([name, type]) => duckdbLiteral(type, row[name] ?? null)).join(', ')})`)
  }
  const asked = (dialect: Dialect, one: readonly Column[]) => digestQuery({ dialect, columns: one, from: 'nasty', checksum: true })
  const fromDuckdb = async (sql: string) => (await duckdb.runAndReadAll(sql)).getRowsJS()[0]
  const fromPostgres = async (sql: string) => Object.values((await client.query<Record<string, string>>(sql)).rows[0] ?? {})

  for (const column of columns) {
    const texts = (dialect: Dialect) => `select ${rowText([column], dialect)} as t from nasty`
    const left = (await client.query<{ t: string }>(texts('postgres'))).rows.map((row) => row.t).sort()
    const right = (await duckdb.runAndReadAll(texts('duckdb')))
      .getRowsJS()
      .map((row) => String(row[0]))
      .sort()
    expect(right, column.name).toEqual(left)
  }
  expect(await fromDuckdb(asked('duckdb', columns))).toEqual(await fromPostgres(asked('postgres', columns)))
  expect(columns).toHaveLength(NASTY_COLUMNS.length)
})

test('a digest tells NULL from the empty text, and one column from its neighbour', async () => {
  await using db = await testDatabase()
  const columns: readonly Column[] = ['a', 'b'].map((name) => ({ name, type: { is: 'text' }, native: 'text', nullable: true }))
  const digest = async (row: string) => {
    const sql = digestQuery({ dialect: 'postgres', columns, from: `(values (${row})) as t (a, b)`, checksum: true })
    return (await db.query<{ checksum: string }>(sql))[0]?.checksum
  }
  const digests = await Promise.all([`'', null::text`, `null::text, ''`, `'ab', 'c'`, `'a', 'bc'`, `'-', ''`, `'1:', '-'`].map(digest))

  expect(new Set(digests).size).toBe(digests.length)
})

test('no rows have the checksum 0, and a count has none', async () => {
  await using db = await testDatabase()
  const columns: readonly Column[] = [{ name: 'a', type: { is: 'int32' }, native: 'integer', nullable: true }]
  const from = '(select 1 as a where false) as t'
  const digest = async (checksum: boolean) => (await db.query(digestQuery({ dialect: 'postgres', columns, from, checksum })))[0]

  expect(await digest(true)).toEqual({ rows: '0', checksum: '0' })
  expect(await digest(false)).toEqual({ rows: '0', checksum: null })
})
