/** Public data sets of the npm package vega-datasets, loaded into a PostgreSQL. */
import { createReadStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'

/** The package names its data files in no export: they lie in `data`, beside the folder of its entry. */
const datasets = join(dirname(fileURLToPath(import.meta.resolve('vega-datasets'))), '../data')
const file = (name: string) => `'${join(datasets, name).replaceAll("'", "''")}'`

interface Table {
  readonly name: string
  readonly ddl: string
  /** DuckDB SQL that yields the rows, in the order of the columns. */
  readonly rows: string
}

const TABLES: readonly Table[] = [
  {
    name: 'flights',
    ddl: `create table flights (
      id integer primary key, departed_at timestamp not null, delay smallint not null, distance integer not null,
      origin text not null, destination text not null)`,
    rows: `select row_number() over () as id, date, delay, distance, origin, destination from ${file('flights-3m.parquet')}`,
  },
  {
    name: 'movies',
    ddl: `create table movies (
      id integer primary key, title text, released_on date, rating text, genre text, director text,
      us_gross bigint, imdb_rating numeric(3, 1), imdb_votes integer)`,
    rows: `select row_number() over () as id, json_extract_string("Title", '$'), try_strptime("Release Date", '%b %d %Y')::date,
      "MPAA Rating", "Major Genre", "Director", "US Gross", "IMDB Rating"::decimal(3, 1), "IMDB Votes" from ${file('movies.json')}`,
  },
  {
    name: 'weather',
    ddl: `create table weather (
      location text, day date, precipitation real, temp_max real, temp_min real, wind real, weather text, primary key (location, day))`,
    rows: `select * from read_csv(${file('weather.csv')})`,
  },
]

export interface Loaded {
  readonly name: string
  readonly rows: number
}

/** Each table's rows, or the first `most` of them, travel as one CSV file through the folder, which is gone at the end. */
export async function loadSampleData(
  connection: pg.ClientConfig,
  folder: string,
  most = Number.MAX_SAFE_INTEGER,
): Promise<readonly Loaded[]> {
  await mkdir(folder, { recursive: true })
  const duckdb = await DuckDBInstance.create(':memory:')
  const reader = await duckdb.connect()
  const client = new pg.Client(connection)
  client.on('error', () => undefined) // the statement under way says it too
  await client.connect()
  try {
    const loaded: Loaded[] = []
    for (const table of TABLES) {
      const csv = join(folder, `${table.name}.csv`)
      await reader.run(`copy (${table.rows} limit ${most}) to '${csv.replaceAll("'", "''")}' (format csv, header false)`)
      await client.query(`begin; ${table.ddl}`)
      // freeze: in the transaction that made the table the rows need no second write by a vacuum.
      const target = client.query(copyFrom(`copy ${table.name} from stdin (format csv, freeze)`))
      await pipeline(createReadStream(csv, { highWaterMark: 1 << 20 }), target)
      await client.query('commit')
      loaded.push({ name: table.name, rows: target.rowCount ?? 0 })
    }
    await client.query('analyze')
    return loaded
  } finally {
    await client.end()
    reader.closeSync()
    duckdb.closeSync()
    await rm(folder, { recursive: true, force: true })
  }
}
