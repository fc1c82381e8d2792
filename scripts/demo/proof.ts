/**
 * Holds what is in the files against what is in the database, without any of Postern's code: both sides count, and add up the
 * first 60 bits of the md5 of each row's text, each in its own SQL.
 */
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import pg from 'pg'

export interface Claim {
  readonly title: string
  readonly table: string
  /** The row's text in PostgreSQL and in DuckDB: alike for equal rows. */
  readonly postgres: string
  readonly duckdb: string
  /** What DuckDB reads, with `folder` in the place of the lake. */
  readonly files: (folder: string) => string
}

export interface Proof {
  readonly title: string
  readonly holds: boolean
  readonly source: Sum
  readonly target: Sum
}

interface Sum {
  readonly rows: string
  readonly checksum: string
}

const FLIGHT = {
  postgres: `concat_ws('|', id, to_char(departed_at, 'YYYY-MM-DD HH24:MI:SS'), delay, distance, origin, destination)`,
  duckdb: `concat_ws('|', id, strftime(departed_at, '%Y-%m-%d %H:%M:%S'), delay, distance, origin, destination)`,
}
const MOVIE = ['id', 'title', 'released_on', 'rating', 'genre', 'director', 'us_gross', 'imdb_rating', 'imdb_votes']
const text = (type: string) => `concat_ws('|', ${MOVIE.map((name) => `coalesce(cast(${name} as ${type}), '')`).join(', ')})`

export function flightsIn(path: string): Claim {
  return {
    title: `flights → ${path}`,
    table: 'flights',
    ...FLIGHT,
    files: (folder) => `read_parquet('${literal(join(folder, path, '*.parquet'))}')`,
  }
}

export function moviesIn(path: string): Claim {
  return {
    title: `movies → ${path}`,
    table: 'movies',
    postgres: text('text'),
    duckdb: text('varchar'),
    files: (folder) => `read_csv('${literal(join(folder, path))}', header = true, all_varchar = true)`,
  }
}

export async function prove(claims: readonly Claim[], connection: pg.ClientConfig, folder: string): Promise<readonly Proof[]> {
  const client = new pg.Client(connection)
  client.on('error', () => undefined) // the statement under way says it too
  await client.connect()
  const duckdb = await DuckDBInstance.create(':memory:')
  const reader = await duckdb.connect()
  try {
    const sources = new Map<string, Sum>()
    const proofs: Proof[] = []
    for (const claim of claims) {
      const source = sources.get(claim.table) ?? (await sumInPostgres(client, claim))
      sources.set(claim.table, source)
      const sql = `select count(*)::varchar, sum(cast('0x' || substr(md5(${claim.duckdb}), 1, 15) as bigint))::varchar from ${claim.files(folder)}`
      const [row] = (await reader.runAndReadAll(sql)).getRows()
      const target = { rows: String(row?.[0]), checksum: String(row?.[1]) }
      proofs.push({ title: claim.title, source, target, holds: source.rows === target.rows && source.checksum === target.checksum })
    }
    return proofs
  } finally {
    await client.end()
    reader.closeSync()
    duckdb.closeSync()
  }
}

async function sumInPostgres(client: pg.Client, claim: Claim): Promise<Sum> {
  const { rows } = await client.query<Sum>(
    `select count(*)::text as rows, sum(('x' || substr(md5(${claim.postgres}), 1, 15))::bit(60)::bigint)::text as checksum from ${claim.table}`,
  )
  const [sum] = rows
  if (!sum) throw new Error(`no count of ${claim.table}`)
  return sum
}

function literal(value: string): string {
  return value.replaceAll("'", "''")
}
