/** PostgreSQL's protocol through service and node, as real clients speak it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { NO_PG_DUMP, serverWithPgDump } from './pg-dump.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { PostgresServer } from './postgres-server.ts'
import { waitFor } from './wait-for.ts'
import { type WireOptions, wireClient } from './wire-client.ts'

let cluster: Cluster
let database: TestDatabase
let token: string
let port: number

beforeAll(async () => {
  database = await testDatabase()
  cluster = await Cluster.start()
  await cluster.postgresStore('shop', database)
  await database.query(`create table orders as select n as id, 'customer ' || n as name from generate_series(1, 1000) n`)
  token = cluster.service.token
  port = cluster.service.postgresPort
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
})

const has = (program: string) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0
const NO_PSQL = has('psql') ? undefined : 'psql is not on this machine'

function env(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const address = {
    PGHOST: '127.0.0.1',
    PGPORT: String(port),
    PGUSER: 'anybody',
    PGPASSWORD: token,
    PGDATABASE: 'shop',
    PGSSLMODE: 'require',
  }
  return { ...process.env, ...address, ...more }
}

interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

function start(program: string, args: readonly string[], more: Record<string, string> = {}): ChildProcess {
  return spawn(program, args, { env: env(more), stdio: ['pipe', 'pipe', 'pipe'], timeout: 60_000 })
}

async function ended(child: ChildProcess, input = ''): Promise<Ran> {
  let [out, err] = ['', '']
  child.stdout?.on('data', (bytes: Buffer) => (out += bytes.toString()))
  child.stderr?.on('data', (bytes: Buffer) => (err += bytes.toString()))
  child.stdin?.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out, err }
}

const psql = (args: readonly string[], more: Record<string, string> = {}, input = '') =>
  ended(start('psql', ['-X', '-A', '-t', ...args], more), input)

const signIn = (options: WireOptions = {}) => wireClient(cluster.service, options)

test.skipIf(NO_PSQL)('psql speaks to the store with TLS, by the token, with its own parameters', async () => {
  const more = { PGAPPNAME: 'desk', PGCLIENTENCODING: 'LATIN1', PGOPTIONS: '-c work_mem=7MB' }
  const result = await psql(
    ['-c', 'show application_name', '-c', 'show client_encoding', '-c', 'show work_mem', '-c', 'select name from orders where id = 7'],
    more,
  )

  expect(result).toMatchObject({ code: 0, err: '', out: 'desk\nLATIN1\n7MB\ncustomer 7\n' })
})

test.skipIf(NO_PSQL)("the service's certificate can be verified with the authority in its data folder", async () => {
  const verify = { PGSSLMODE: 'verify-full', PGSSLROOTCERT: `${cluster.service.data}/ca.pem` }

  expect(await psql(['-h', 'localhost', '-c', 'select 1'], verify)).toMatchObject({ code: 0, out: '1\n' })
})

test.skipIf(NO_PSQL)('COPY goes both ways, whole', async () => {
  const out = await psql(['-c', 'copy (select * from orders order by id) to stdout'])
  await psql(['-c', 'create table again (id int, name text)'])
  const into = await psql(['-c', 'copy again from stdin'], {}, out.out)

  expect(into).toMatchObject({ code: 0, err: '' })
  expect(await database.query('select count(*)::int as rows, sum(id)::int as sum from again')).toEqual([{ rows: 1_000, sum: 500_500 }])
})

test.skipIf(NO_PSQL)('200 MB of COPY arrive whole', async () => {
  const sql = `copy (select repeat('x', 999) from generate_series(1, 200000)) to stdout`
  const child = start('psql', ['-X', '-c', sql])
  let bytes = 0
  child.stdout?.on('data', (chunk: Buffer) => (bytes += chunk.length))
  const [code] = await once(child, 'close')

  expect({ code, bytes }).toEqual({ code: 0, bytes: 200_000_000 })
})

test.skipIf(!has('pgbench'))('pgbench runs prepared statements on 4 connections', async () => {
  const made = await ended(start('pgbench', ['-i', '-q', '-s', '1']))
  const ran = await ended(start('pgbench', ['-S', '-M', 'prepared', '-c', '4', '-j', '2', '-t', '200']))

  expect(made.code, made.err).toBe(0)
  expect(ran.out, ran.err).toContain('number of transactions actually processed: 800/800')
  expect(ran.out).toContain('number of failed transactions: 0')
})

test.skipIf(NO_PG_DUMP !== '')(`pg_dump reads the store${NO_PG_DUMP}`, async () => {
  const folder = serverWithPgDump() ?? ''
  await using server = await PostgresServer.start({ binaries: folder })
  await using older = await testDatabase({ server })
  await older.query(`create table orders as select n as id, 'customer ' || n as name from generate_series(1, 1000) n`)
  await cluster.postgresStore('older', older)
  const dump = await ended(start(join(folder, 'pg_dump'), ['--table', 'orders'], { PGDATABASE: 'older' }))

  expect(dump.err).toBe('')
  expect(dump.out).toContain('customer 1000')
})

test('node-postgres: prepared statements, errors in between, a transaction', async () => {
  const client = await signIn({ application_name: 'app' })
  const ask = { name: 'by-id', text: 'select name from orders where id = $1' }

  expect((await client.query({ ...ask, values: [3] })).rows).toEqual([{ name: 'customer 3' }])
  await expect(client.query('select no_such_column')).rejects.toMatchObject({ code: '42703' })
  expect((await client.query({ ...ask, values: [4] })).rows).toEqual([{ name: 'customer 4' }])
  await client.query('begin')
  await client.query('create table gone (n int)')
  await client.query('rollback')
  expect((await client.query(`select to_regclass('gone') as found`)).rows).toEqual([{ found: null }])
  await client.end()
})

test('LISTEN hears NOTIFY, and notices come through', async () => {
  const [hears, tells] = [await signIn(), await signIn()]
  const heard = once(hears, 'notification')
  const noticed = once(hears, 'notice')
  await hears.query('listen orders')
  await hears.query(`do $$ begin raise notice 'by the way'; end $$`)
  await tells.query(`notify orders, 'number 7'`)

  expect((await heard)[0]).toMatchObject({ channel: 'orders', payload: 'number 7' })
  expect((await noticed)[0]).toMatchObject({ message: 'by the way' })
  await Promise.all([hears.end(), tells.end()])
})

test('postgres.js: TLS, a transaction, a cursor, and a cancelled statement ends in the database', async () => {
  const sql = postgres({ host: '127.0.0.1', port, database: 'shop', username: 'any', password: token, ssl: 'require', max: 2 })
  try {
    expect(await sql`select name from orders where id = ${5}`).toEqual([{ name: 'customer 5' }])
    const rows: unknown[] = []
    for await (const batch of sql`select id from orders order by id`.cursor(100)) rows.push(...batch)
    expect(rows).toHaveLength(1_000)
    const late = sql`select pg_sleep(4321)`
    const failed = late.execute().then(
      () => 'slept',
      (cause: { readonly code: string }) => cause.code,
    )
    await waitFor('it sleeps', sleeping, (seen) => seen === 1)
    late.cancel()
    expect(await failed).toBe('57014')
    await waitFor('it sleeps no more', sleeping, (seen) => seen === 0)
    expect(await sql`select 1 as still`).toEqual([{ still: 1 }])
  } finally {
    await sql.end({ timeout: 1 })
  }
})

test.skipIf(NO_PSQL)('Ctrl-C in psql cancels the statement in the database', async () => {
  const child = start('psql', ['-X', '-c', 'select pg_sleep(4321)'])
  const result = ended(child)
  await waitFor('it sleeps', sleeping, (seen) => seen === 1)
  child.kill('SIGINT')

  expect((await result).err).toContain('canceling statement due to user request')
  await waitFor('it sleeps no more', sleeping, (seen) => seen === 0)
})

async function sleeping(): Promise<number> {
  const [row] = await database.query<{ n: number }>(
    `select count(*)::int as n from pg_stat_activity where wait_event = 'PgSleep' and query like '%4321%' and datname = current_database()`,
  )
  return row?.n ?? 0
}
