/** Stores of every kind with the same rows in them, filled and read without any of our code: by the databases' drivers, the vendors' SDKs and DuckDB. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import { DuckDBInstance } from '@duckdb/node-api'
import type { Cluster } from '../cluster.ts'
import { type TestFolder, testFolder } from '../folder.ts'
import { type MysqlDatabase, MysqlServer, mysqlMissing } from '../mysql-server.ts'
import { AZURITE, azurite, type ObjectServer, S3_KEYS, s3Server } from '../object-store.ts'
import { type TestDatabase, testDatabase } from '../postgres.ts'

/** As the title of a row or column of the table. */
export type EndName = 'postgres' | 'mysql' | 'files, CSV' | 'files, Parquet' | 's3, Parquet' | 'azure-blob, CSV'

export interface End {
  readonly name: EndName
  readonly store: string
  /** Where the rows to be copied are. */
  readonly from: string
  /** A new place. */
  to(name: string): string
  /** The rows there: each one text, in the order of their ids. */
  read(to: string): Promise<readonly string[]>
}

const CELL = '|'
const NULL = '∅'
const IDS = (rows: number) => `generate_series(1, ${rows})`
/** A name with all that CSV and COPY text must escape, and letters of other planes; none in each seventh row. */
const NAME_PARTS = `E'row, "quoted"\\t\\\\ 🐘 '`

export class PairEnds implements AsyncDisposable {
  readonly ends: readonly End[]
  readonly #held: readonly AsyncDisposable[]

  private constructor(ends: readonly End[], held: readonly AsyncDisposable[]) {
    this.ends = ends
    this.#held = held
  }

  static async make(cluster: Cluster, rows: number): Promise<PairEnds> {
    const held: AsyncDisposable[] = []
    const keep = <Thing extends AsyncDisposable>(thing: Thing): Thing => {
      held.unshift(thing)
      return thing
    }
    const database = keep(await testDatabase())
    const folder = keep(await testFolder())
    await database.query(`
      create table src as select n::bigint as id, case when n % 7 = 0 then null else ${NAME_PARTS} || n end as name,
             (n * 1.25)::numeric(12,2) as amount, n % 3 = 0 as flag, timestamp '2026-01-01 00:00:00' + n * interval '1 second' as placed
        from ${IDS(rows)} n;
      alter table src add primary key (id); analyze src`)
    await cluster.postgresStore('pg', database)
    const files = await writeFiles(folder.path, await readPostgres(database, 'src'))
    await cluster.filesStore('files', folder.path)
    const ends: End[] = [postgresEnd(database), filesEnd('files, CSV', folder), filesEnd('files, Parquet', folder)]
    if (!mysqlMissing()) ends.splice(1, 0, await mysqlEnd(cluster, keep(await keep(await MysqlServer.start()).database()), rows))
    ends.push(await s3End(cluster, keep(await s3Server()), files, folder), await azureEnd(cluster, keep(await azurite()), files, folder))
    return new PairEnds(ends, held)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const thing of this.#held) await thing[Symbol.asyncDispose]()
  }
}

// ── databases ───────────────────────────────────────────────────────────────────────────────────────

function postgresEnd(database: TestDatabase): End {
  return { name: 'postgres', store: 'pg', from: 'src', to: (name) => name, read: (to) => readPostgres(database, to) }
}

async function readPostgres(database: TestDatabase, table: string): Promise<readonly string[]> {
  const flag = `case when flag::text in ('true', 't', '1') then 'true' else 'false' end`
  const sql = `select concat_ws('${CELL}', id::text, coalesce(name, '${NULL}'), amount::numeric(12,2)::text, ${flag},
    to_char(placed, 'YYYY-MM-DD HH24:MI:SS')) as row from ${table} order by id`
  return (await database.query<{ row: string }>(sql)).map(({ row }) => row)
}

async function mysqlEnd(cluster: Cluster, database: MysqlDatabase, rows: number): Promise<End> {
  await database.query(`
    create table src (id bigint primary key, name varchar(200), amount decimal(12,2), flag boolean, placed datetime) engine = InnoDB;
    insert into src select seq, case when seq % 7 = 0 then null else concat('row, "quoted"\\t\\\\ 🐘 ', seq) end, seq * 1.25, seq % 3 = 0,
      timestamp '2026-01-01 00:00:00' + interval seq second from seq_1_to_${rows}`)
  await cluster.store('my', 'mysql', {
    settings: { host: database.host, port: database.port, database: database.name, user: database.user },
    secrets: { password: database.password },
  })
  const read = async (to: string) => {
    const sql = `select concat_ws('${CELL}', id, coalesce(name, '${NULL}'), cast(amount as decimal(12,2)), if(flag, 'true', 'false'), date_format(placed, '%Y-%m-%d %H:%i:%s')) as \`row\` from ${to} order by id`
    return (await database.query<{ row: string }>(sql)).map(({ row }) => row)
  }
  return { name: 'mysql', store: 'my', from: 'src', to: (name) => name, read }
}

// ── files and objects ───────────────────────────────────────────────────────────────────────────────

type Format = 'csv' | 'parquet'
/** In the folders that are copied from. */
export const FILES = 4

function filesEnd(name: 'files, CSV' | 'files, Parquet', folder: TestFolder): End {
  const format = name === 'files, CSV' ? 'csv' : 'parquet'
  return {
    name,
    store: 'files',
    from: `src-${format}/*`,
    to: (table) => `${table}.${format}/`,
    read: (to) => readFolder(join(folder.path, to), format),
  }
}

async function s3End(cluster: Cluster, server: ObjectServer, files: string, folder: TestFolder): Promise<End> {
  const client = new S3Client({ endpoint: server.endpoint, region: 'us-east-1', credentials: S3_KEYS, forcePathStyle: true })
  const Bucket = 'bucket'
  for (const [key, bytes] of await filesIn(join(files, 'src-parquet'))) {
    await client.send(new PutObjectCommand({ Bucket, Key: `src-parquet/${key}`, Body: bytes }))
  }
  await cluster.store('s3', 's3', server.access)
  const read = async (to: string) => {
    const away = join(folder.path, '.from-s3', to)
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix: to }))
    for (const { Key = '' } of Contents) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }))
      await save(join(away, Key.slice(to.length)), Buffer.from((await Body?.transformToByteArray()) ?? []))
    }
    return readFolder(away, 'parquet')
  }
  return { name: 's3, Parquet', store: 's3', from: 'src-parquet/*', to: (table) => `${table}.parquet/`, read }
}

async function azureEnd(cluster: Cluster, server: ObjectServer, files: string, folder: TestFolder): Promise<End> {
  const credential = new StorageSharedKeyCredential(AZURITE.account, AZURITE.accountKey)
  const container = new BlobServiceClient(server.endpoint, credential).getContainerClient('container')
  for (const [key, bytes] of await filesIn(join(files, 'src-csv'))) await container.getBlockBlobClient(`src-csv/${key}`).uploadData(bytes)
  await cluster.store('azure', 'azure-blob', server.access)
  const read = async (to: string) => {
    const away = join(folder.path, '.from-azure', to)
    for await (const { name } of container.listBlobsFlat({ prefix: to })) {
      await save(join(away, name.slice(to.length)), await container.getBlobClient(name).downloadToBuffer())
    }
    return readFolder(away, 'csv')
  }
  return { name: 'azure-blob, CSV', store: 'azure', from: 'src-csv/*', to: (table) => `${table}.csv/`, read }
}

async function save(path: string, bytes: Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, bytes)
}

async function filesIn(folder: string): Promise<readonly (readonly [string, Buffer])[]> {
  return Promise.all((await readdir(folder)).map(async (name) => [name, await readFile(join(folder, name))] as const))
}

/** The rows as files that DuckDB wrote: `src-csv/` and `src-parquet/` with a few files each. */
async function writeFiles(folder: string, rows: readonly string[]): Promise<string> {
  const plain = join(folder, '.plain.csv')
  const quoted = (cell: string) => (cell === NULL ? '' : `"${cell.replaceAll('"', '""')}"`)
  const text = rows.map((row) => row.split(CELL).map(quoted).join(',')).join('\n')
  await writeFile(plain, `id,name,amount,flag,placed\n${text}\n`)
  await inDuck(async (run) => {
    const types = `{'id': 'bigint', 'name': 'varchar', 'amount': 'decimal(12,2)', 'flag': 'boolean', 'placed': 'timestamp'}`
    await run(`create table src as from read_csv('${plain}', header = true, quote = '"', escape = '"', columns = ${types})`)
    for (const [format, options] of Object.entries({ csv: 'csv, header true', parquet: 'parquet' })) {
      await mkdir(join(folder, `src-${format}`))
      for (let file = 0; file < FILES; file++) {
        await run(
          `copy (from src where id % ${FILES} = ${file}) to '${join(folder, `src-${format}`, `${file}.${format}`)}' (format ${options})`,
        )
      }
    }
  })
  return folder
}

/** What the folder's manifest lists, and nothing else. */
async function readFolder(folder: string, format: Format): Promise<readonly string[]> {
  const { files } = JSON.parse(await readFile(join(folder, '_manifest.json'), 'utf8')) as { files: readonly { readonly name: string }[] }
  const list = files.map(({ name }) => `'${join(folder, name)}'`).join(', ')
  const columns = `{'id': 'varchar', 'name': 'varchar', 'amount': 'varchar', 'flag': 'varchar', 'placed': 'varchar'}`
  const csv = `read_csv([${list}], header = true, quote = '"', escape = '"', columns = ${columns})`
  const flag = `case when cast(flag as varchar) in ('t', 'true', '1') then 'true' else 'false' end`
  const cells = `cast(id as varchar), coalesce(name, '${NULL}'), cast(cast(amount as decimal(12, 2)) as varchar), ${flag}, cast(placed as varchar)`
  const from = format === 'parquet' ? `read_parquet([${list}])` : csv
  return inDuck((run) => run(`select concat_ws('${CELL}', ${cells}) from ${from} order by cast(id as bigint)`))
}

async function inDuck<Result>(work: (run: (sql: string) => Promise<readonly string[]>) => Promise<Result>): Promise<Result> {
  const duck = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await duck.connect()
  try {
    return await work(async (sql) => (await connection.runAndReadAll(sql)).getRows().map(([cell]) => String(cell)))
  } finally {
    connection.closeSync()
    duck.closeSync()
  }
}
