/** The two ends of each kind of copy that chaos runs: how they are filled, asked for, and read again without any of our code. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import type { CopyRequest } from '@postern/protocol/api/runs.ts'
import type { Cluster } from '../cluster.ts'
import { FlakyLink } from '../flaky-link.ts'
import { type TestFolder, testFolder } from '../folder.ts'
import { mysqlMissing } from '../mysql-server.ts'
import { type TestDatabase, testDatabase } from '../postgres.ts'
import { ChaosMysql } from './chaos-mysql.ts'
import { ChaosS3 } from './chaos-s3.ts'
import { CELL, NULL, type Rows } from './row-checker.ts'

const ALL_PAIRS = [
  'postgres → postgres, append',
  'postgres → postgres, overwrite',
  'postgres → postgres, upsert',
  'postgres → csv',
  'postgres → parquet, overwrite',
  'csv → postgres',
  'parquet → postgres, overwrite',
  'ndjson → postgres',
  'postgres → mysql, append',
  'mysql → postgres, append',
  'postgres → s3, parquet',
  'postgres → mysql, overwrite',
] as const
export type PairName = (typeof ALL_PAIRS)[number]
/** Those whose servers are on this machine. */
export const PAIRS: readonly [PairName, ...PairName[]] = mysqlMissing()
  ? [ALL_PAIRS[0], ...ALL_PAIRS.slice(1).filter((pair) => !pair.includes('mysql'))]
  : ALL_PAIRS

/** Slow enough to be struck while parts move. */
const BYTES_PER_SECOND = 400_000
const ROWS = 9_000
const OLD_ROWS = 1_000

const ORIGINS: Readonly<Record<string, { readonly source: string; readonly from: string }>> = {
  postgres: { source: 'from-pg', from: 'src' },
  mysql: { source: 'from-my', from: 'src' },
}

/** One copy's ends: what to ask for, what must be there in the end, and what is. */
export interface ChaosCopy extends AsyncDisposable {
  readonly request: Pick<CopyRequest, 'source' | 'sink' | 'from' | 'to' | 'mode' | 'key'>
  readonly expected: Rows
  found(): Promise<Rows>
  /** Rows that a reader may see before the end: the old ones or the new ones. Undefined where any number may be seen. */
  readonly mayBeSeen: readonly number[] | undefined
  /** What a reader sees now; undefined when there is nothing to read yet. */
  seen(): Promise<number | undefined>
  /** Staging that is still there: tables, files. */
  leftovers(): Promise<readonly string[]>
}

/** The databases, folder and stores of one cluster. */
export class ChaosEnds implements AsyncDisposable {
  readonly #source: TestDatabase
  readonly #target: TestDatabase
  readonly #folder: TestFolder
  readonly #link: FlakyLink
  readonly #mysql: ChaosMysql | undefined
  readonly #s3: ChaosS3
  #copies = 0

  private constructor(parts: {
    source: TestDatabase
    target: TestDatabase
    folder: TestFolder
    link: FlakyLink
    mysql: ChaosMysql | undefined
    s3: ChaosS3
  }) {
    this.#source = parts.source
    this.#target = parts.target
    this.#folder = parts.folder
    this.#link = parts.link
    this.#mysql = parts.mysql
    this.#s3 = parts.s3
  }

  static async make(cluster: Cluster): Promise<ChaosEnds> {
    const [source, target, folder] = await Promise.all([testDatabase(), testDatabase(), testFolder()])
    const link = await FlakyLink.to(source)
    const mysql = mysqlMissing() ? undefined : await ChaosMysql.make(cluster, { rows: ROWS, bytesPerSecond: BYTES_PER_SECOND })
    const ends = new ChaosEnds({ source, target, folder, link, mysql, s3: await ChaosS3.make(cluster) })
    await source.query(`create table src as ${rowsSql(1, ROWS)}; alter table src add primary key (id); analyze src`)
    await cluster.postgresStore('from-pg', source, link)
    await cluster.postgresStore('to-pg', target)
    await cluster.filesStore('lake', folder.path)
    link.slow(BYTES_PER_SECOND)
    await ends.#fillFiles()
    return ends
  }

  async copy(pair: PairName): Promise<ChaosCopy> {
    this.#copies += 1
    const name = `copy_${this.#copies}`
    const [from, into] = pair.split(/ → |, /) as [string, string]
    const mode = pair.endsWith('overwrite') ? 'overwrite' : pair.endsWith('upsert') ? 'upsert' : 'append'
    const origin = ORIGINS[from] ?? { source: 'lake', from: `src-${from}/*` }
    if (into === 'postgres') return this.#intoPostgres(name, origin, mode)
    if (into === 'mysql') return this.#intoMysql(name, origin, mode)
    return into === 's3' ? this.#intoS3(`${name}.parquet`, origin) : this.#intoFiles(`${name}.${into}`, origin, mode)
  }

  async #intoPostgres(name: string, origin: { source: string; from: string }, mode: CopyRequest['mode']): Promise<ChaosCopy> {
    const target = this.#target
    const old = mode === 'append' ? 0 : OLD_ROWS
    // Old rows of an upsert: half have keys of the source, half are the target's own and stay.
    const first = mode === 'upsert' ? ROWS - OLD_ROWS / 2 + 1 : 1
    const columns = 'id bigint primary key, name text, amount numeric(12,2), flag boolean, at timestamptz'
    await target.query(`create table ${name} (${columns}); insert into ${name} ${rowsSql(first, old, 'old ')}`)
    const expected = await readPostgres(this.#source, 'src')
    const own = mode === 'upsert' ? (await readPostgres(target, name)).filter((row) => Number(row.split(CELL)[0]) > ROWS) : []
    return {
      request: { ...origin, sink: 'to-pg', to: name, mode, key: mode === 'upsert' ? ['id'] : [] },
      expected: [...expected, ...own],
      found: () => readPostgres(target, name),
      mayBeSeen: mode === 'overwrite' ? [OLD_ROWS, ROWS] : undefined,
      seen: async () => (await target.query<{ rows: number }>(`select count(*)::int as rows from ${name}`))[0]?.rows,
      leftovers: async () => {
        const sql = `select relname as name from pg_class where relkind = 'r' and relname like '%postern%' and relname like '%${name}%'`
        return (await target.query<{ name: string }>(sql)).map((row) => row.name)
      },
      [Symbol.asyncDispose]: async () => void (await target.query(`drop table ${name}`)),
    }
  }

  async #intoFiles(name: string, origin: { source: string; from: string }, mode: CopyRequest['mode']): Promise<ChaosCopy> {
    const path = join(this.#folder.path, name)
    return {
      request: { ...origin, sink: 'lake', to: `${name}/`, mode, key: [] },
      expected: await readPostgres(this.#source, 'src'),
      found: async () => (await readFolder(path)) ?? [],
      mayBeSeen: [ROWS],
      seen: async () => (await readFolder(path))?.length,
      leftovers: async () => (await readdir(dirname(path))).filter((file) => file.includes('.postern-') && file.includes(basename(path))),
      [Symbol.asyncDispose]: async () => undefined,
    }
  }

  async #intoMysql(name: string, origin: { source: string; from: string }, mode: CopyRequest['mode']): Promise<ChaosCopy> {
    const mysql = this.#mysql
    if (!mysql) throw new Error('MariaDB is not there.')
    await mysql.fill(name, 1, mode === 'append' ? 0 : OLD_ROWS, 'old ')
    return {
      request: { ...origin, sink: 'to-my', to: name, mode, key: [] },
      expected: await readPostgres(this.#source, 'src'),
      found: () => mysql.read(name),
      mayBeSeen: mode === 'overwrite' ? [OLD_ROWS, ROWS] : undefined,
      seen: () => mysql.count(name),
      leftovers: () => mysql.leftovers(),
      [Symbol.asyncDispose]: () => mysql.drop(name),
    }
  }

  async #intoS3(name: string, origin: { source: string; from: string }): Promise<ChaosCopy> {
    const s3 = this.#s3
    return {
      request: { ...origin, sink: 's3', to: `${name}/`, mode: 'append', key: [] },
      expected: await readPostgres(this.#source, 'src'),
      found: async () => (await s3.look(name, readFolder)) ?? [],
      mayBeSeen: [ROWS],
      seen: async () => (await s3.look(name, readFolder))?.length,
      leftovers: () => s3.leftovers(name),
      [Symbol.asyncDispose]: async () => undefined,
    }
  }

  /** The source's rows as files that DuckDB wrote, not we. */
  async #fillFiles(): Promise<void> {
    const rows = await readPostgres(this.#source, 'src')
    const cells = rows.map((row) => row.split(CELL).map((cell) => (cell === NULL ? '' : cell)))
    const csv = ['id,name,amount,flag,at', ...cells.map((row) => row.join(','))].join('\n')
    const plain = join(this.#folder.path, '.plain.csv')
    await writeFile(plain, `${csv}\n`)
    const duck = await DuckDBInstance.create(':memory:', { threads: '1' })
    const connection = await duck.connect()
    try {
      const types = `{'id': 'bigint', 'name': 'varchar', 'amount': 'decimal(12,2)', 'flag': 'boolean', 'at': 'timestamptz'}`
      await connection.run(`set timezone = 'UTC'; create table src as from read_csv('${plain}', header = true, columns = ${types})`)
      for (const [kind, format] of Object.entries({ csv: 'csv, header true', parquet: 'parquet', ndjson: 'json' })) {
        const { mkdir } = await import('node:fs/promises')
        await mkdir(join(this.#folder.path, `src-${kind}`))
        for (let part = 0; part < 6; part++) {
          const file = join(this.#folder.path, `src-${kind}`, `${part}.${kind}`)
          await connection.run(`copy (from src where id % 6 = ${part}) to '${file}' (format ${format})`)
        }
      }
    } finally {
      connection.closeSync()
      duck.closeSync()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link[Symbol.asyncDispose]()
    await this.#mysql?.[Symbol.asyncDispose]()
    await this.#s3[Symbol.asyncDispose]()
    await Promise.all([this.#source[Symbol.asyncDispose](), this.#target[Symbol.asyncDispose](), this.#folder[Symbol.asyncDispose]()])
  }
}

/** `count` rows from `first` on, no two alike, with NULLs. */
function rowsSql(first: number, count: number, word = ''): string {
  return `select n::bigint as id, case when n % 7 = 0 then null else '${word}row ' || n || repeat('x', 100) end as name, (n * 1.25)::numeric(12,2) as amount,
    n % 3 = 0 as flag, timestamptz '2026-01-01 00:00:00+00' + n * interval '1 second' as at from generate_series(${first}, ${first + count - 1}) n`
}

async function readPostgres(database: TestDatabase, table: string): Promise<Rows> {
  const sql = `select concat_ws('${CELL}', id::text, coalesce(name, '${NULL}'), amount::text, case when flag then 'true' else 'false' end,
    to_char(at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') || '+00') as row from ${table}`
  return (await database.query<{ row: string }>(sql)).map(({ row }) => row)
}

/** What the manifest lists, read by DuckDB; undefined without one. */
async function readFolder(path: string): Promise<Rows | undefined> {
  const manifest = await readFile(join(path, '_manifest.json'), 'utf8').catch(() => undefined)
  if (manifest === undefined) return undefined
  const { files } = JSON.parse(manifest) as { readonly files: readonly { readonly name: string }[] }
  const list = files.map(({ name }) => `'${join(path, name)}'`).join(', ')
  const columns = `{'id': 'varchar', 'name': 'varchar', 'amount': 'varchar', 'flag': 'varchar', 'at': 'varchar'}`
  const from = path.endsWith('.parquet') ? `read_parquet([${list}])` : `read_csv([${list}], header = true, columns = ${columns})`
  const flag = `case when cast(flag as varchar) in ('t', 'true') then 'true' else 'false' end`
  const duck = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await duck.connect()
  try {
    await connection.run(`set timezone = 'UTC'`)
    const reader = await connection.runAndReadAll(
      `select concat_ws('${CELL}', cast(id as varchar), coalesce(name, '${NULL}'), cast(amount as varchar), ${flag}, cast("at" as varchar)) from ${from}`,
    )
    return reader.getRows().map(([row]) => String(row))
  } finally {
    connection.closeSync()
    duck.closeSync()
  }
}
