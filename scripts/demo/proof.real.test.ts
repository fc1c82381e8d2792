import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { testDatabase } from '@postern/testkit/postgres.ts'
import { afterAll, expect, test } from 'vitest'
import { flightsIn, moviesIn, prove } from './proof.ts'

const lake = mkdtempSync(join(tmpdir(), 'postern-proof-'))
afterAll(() => rmSync(lake, { recursive: true, force: true }))

const FLIGHTS = `select id, timestamp '2001-01-01 00:01:00' + id * interval '1 minute' as departed_at, id % 90 as delay, 100 + id as distance,
  'SFO' as origin, 'LA' || (id % 7)::text as destination from generate_series(1, 1000) as g(id)`

async function duckdb(...statements: readonly string[]): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  for (const statement of statements) await connection.run(statement)
  connection.closeSync()
  instance.closeSync()
}

test('equal flights hold; a changed cell and a doubled row do not', async () => {
  await using database = await testDatabase()
  await database.query(`create table flights as ${FLIGHTS}`)
  const write = (folder: string, rows: string) => {
    mkdirSync(join(lake, folder))
    return duckdb(`copy (${rows}) to '${join(lake, folder, 'part-0.parquet')}' (format parquet)`)
  }
  const rows = FLIGHTS.replace('::text', '::varchar')
  await write('same', rows)
  await write('changed', `select * replace (case when id = 500 then delay + 1 else delay end as delay) from (${rows})`)
  await write('doubled', `${rows} union all (select * from (${rows}) where id = 7)`)

  const proofs = await prove(['same', 'changed', 'doubled'].map(flightsIn), { connectionString: database.url }, lake)

  expect(proofs.map(({ holds }) => holds)).toEqual([true, false, false])
  expect(proofs.map(({ target }) => target.rows)).toEqual(['1000', '1000', '1001'])
})

test('movies as CSV hold, with quotes, commas, line ends and nothing in their cells', async () => {
  await using database = await testDatabase()
  await database.query(`create table movies (id int, title text, released_on date, rating text, genre text, director text,
    us_gross bigint, imdb_rating numeric(3, 1), imdb_votes int)`)
  await database.query(`insert into movies values (1, 'He said "no", twice', '1999-12-31', 'R', null, E'two\nlines', 12, 7.0, null)`)
  await duckdb(`copy (select 1 as id, 'He said "no", twice' as title, date '1999-12-31' as released_on, 'R' as rating, null as genre,
    'two' || chr(10) || 'lines' as director, 12 as us_gross, 7.0::decimal(3, 1) as imdb_rating, null as imdb_votes)
    to '${join(lake, 'movies.csv')}' (format csv, header true)`)

  const [proof] = await prove([moviesIn('movies.csv')], { connectionString: database.url }, lake)

  expect(proof).toMatchObject({ holds: true, source: { rows: '1' } })
})
