/** PostgreSQL's protocol through service and node, as real clients speak it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect as dial } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { PostgresServer } from './postgres-server.ts'
import { waitFor } from './wait-for.ts'

let cluster: Cluster
let database: TestDatabase
let token: string
let port: number

beforeAll(async () => {
  database = await testDatabase()
  cluster = await Cluster.start()
  await cluster.postgresStore('shop', database)
  await cluster.filesStore('lake', '/tmp')
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

interface Options extends pg.ClientConfig {
  readonly store?: string
}

async function signIn({ store = 'shop', ...options }: Options = {}): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'anybody',
    password: token,
    database: store,
    ssl: { rejectUnauthorized: false },
    ...options,
  })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

const stateOf = (options: Options) =>
  signIn(options).then(
    async (client) => {
      await client.end()
      return 'signed in'
    },
    (cause: { readonly code?: string }) => cause.code,
  )

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

/** pg_dump refuses a server that is newer than itself: it has one of its own version beside it, or is of ours. */
function serverOfPgDump(): string | undefined {
  const { stdout } = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' })
  const folder = stdout?.trim() ?? ''
  return ['initdb', 'postgres', 'pg_dump'].every((program) => existsSync(join(folder, program))) ? folder : undefined
}

test.skipIf(!serverOfPgDump())('pg_dump reads the store', async () => {
  const folder = serverOfPgDump() ?? ''
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

test('what is refused is told by the SQLSTATE that drivers know', async () => {
  await cluster.client.gateways.create({ name: 'empty' })
  const create = ['store', 'create', 'nowhere', '--gateway', 'empty', '--kind', 'postgres']
  const made = await cluster.cli([...create, '--set', 'host=db', '--set', 'database=x', '--set', 'user=u'])
  expect(made.code, made.stderr).toBe(0)

  expect(await stateOf({ password: 'ptn_wrong' })).toBe('28P01')
  expect(await stateOf({ store: 'nix' })).toBe('3D000')
  expect(await stateOf({ store: 'nix', password: 'ptn_wrong' })).toBe('28P01')
  expect(await stateOf({ store: 'lake' })).toBe('0A000')
  expect(await stateOf({ store: 'nowhere' })).toBe('57P03')
  expect(await stateOf({ options: '-c no_such_setting=1' })).toBe('42704')
})

test('a session stands in the list while it is open', async () => {
  const client = await signIn({ application_name: 'seen' })
  await client.query('select 1')
  const seen = await cluster.client.sessions.list()
  const mine = seen.find(({ application }) => application === 'seen')

  expect(mine).toMatchObject({ kind: 'wire', store: 'shop', gateway: 'demo', address: '127.0.0.1' })
  expect(mine?.bytesIn).toBeGreaterThan(0)
  expect(mine?.candidates.find(({ taken }) => taken)?.node).toBe(mine?.node)
  await client.end()
  await waitFor('it is gone', applications, (names) => !names.includes('seen'))
})

test('a session that an operator ends tells its client by whom, and is gone', async () => {
  const client = await signIn({ application_name: 'unwanted' })
  await client.query('select 1')
  const told = lastError(client)
  const listed = await cluster.cli(['session', 'list'])
  const [session] = (await cluster.client.sessions.list()).filter(({ application }) => application === 'unwanted')
  expect(listed.stdout).toContain(session?.id)
  expect(session?.way).toBe('own')
  const ended = await cluster.cli(['session', 'end', session?.id ?? ''])

  expect(ended.code, ended.stderr).toBe(0)
  expect(await told).toMatchObject({ code: '57P01', message: expect.stringContaining('ended it') })
  await waitFor('it is gone', applications, (names) => !names.includes('unwanted'))
  const again = await cluster.cli(['session', 'end', session?.id ?? ''])
  expect(again.stderr).toContain('There is no such open connection')
})

test('connections over a limit are refused, idle and old ones are ended with a reason', async () => {
  await cluster.cli(['gateway', 'set', 'demo', 'sessionsPerCaller=1'])
  await waitFor('nobody is connected', applications, (names) => names.length === 0)
  const client = await signIn()
  expect(await stateOf({})).toBe('53300')

  await cluster.cli(['gateway', 'set', 'demo', 'sessionsPerCaller=100', 'sessionsPerStore=1'])
  expect(await stateOf({})).toBe('53300')

  await cluster.cli(['gateway', 'set', 'demo', 'sessionsPerStore=100', 'sessionIdleSeconds=1'])
  expect(await lastError(client)).toMatchObject({ code: '57P01', message: expect.stringContaining('sessionIdleSeconds') })

  await cluster.cli(['gateway', 'set', 'demo', 'sessionIdleSeconds=0', 'sessionLifeSeconds=1'])
  const old = await signIn()
  await old.query('begin')
  await sleep(2_500)
  expect((await old.query('select 1 as busy')).rows).toEqual([{ busy: 1 }])
  const told = lastError(old)
  await old.query('commit')
  expect(await told).toMatchObject({ code: '57P01', message: expect.stringContaining('sessionLifeSeconds') })
  await cluster.cli(['gateway', 'set', 'demo', 'sessionLifeSeconds=0'])
})

test('a drained node lets transactions end and then sends its clients to another one', async () => {
  const client = await signIn({ application_name: 'drained' })
  await client.query('begin')
  const node = await nodeOf('drained')
  const told = lastError(client)
  await cluster.client.nodes.act('demo', node, 'drain')
  await sleep(1_500)
  expect((await client.query('select 1 as busy')).rows).toEqual([{ busy: 1 }])
  await client.query('commit')

  expect(await told).toMatchObject({ code: '57P01' })
  const next = await signIn({ application_name: 'next' })
  expect(await nodeOf('next')).not.toBe(node)
  await next.end()
  await cluster.client.nodes.act('demo', node, 'enable')
  await cluster.allOnline()
})

test('when its node dies a client is told, whether it waits or asks, and a new connection is served in less than a second', async () => {
  const waits = await signIn({ application_name: 'waits' })
  const asks = await signIn({ application_name: 'asks' })
  const node = await nodeOf('asks')
  const told = lastError(waits)
  const asked = asks.query('select pg_sleep(4321)').catch((cause: unknown) => cause)
  await waitFor('it sleeps', sleeping, (seen) => seen === 1)

  const killed = performance.now()
  await cluster.node(node).kill()
  expect(await told).toMatchObject({ code: '08006' })
  expect(await asked).toMatchObject({ code: '08006' })
  const again = await signIn()
  expect((await again.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  expect(performance.now() - killed).toBeLessThan(1_000)

  await again.end()
  await database.query(`select pg_terminate_backend(pid) from pg_stat_activity where query like '%4321%' and pid <> pg_backend_pid()`)
  await cluster.node(node).restart()
  await cluster.allOnline()
})

test('a client that is killed leaves nothing behind in the store', async () => {
  const client = await signIn({ application_name: 'killed' })
  await client.query('select 1')
  ;(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()

  await waitFor('it is gone', applications, (names) => !names.includes('killed'))
  const backends = () => database.query(`select 1 from pg_stat_activity where application_name = 'killed'`)
  await waitFor('its backend is gone', backends, (rows) => rows.length === 0)
})

test.each([
  ['nonsense', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['a huge length', Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 0])],
  ['a negative length', Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 3, 0, 0])],
  ['bytes behind the request for TLS', Buffer.concat([Buffer.from([0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]), Buffer.from('early')])],
])('%s ends a connection and nothing else', async (_, bytes) => {
  const socket = dial(port, '127.0.0.1')
  socket.on('error', () => undefined).write(bytes)
  socket.resume()
  await once(socket, 'close')

  expect(await stateOf({})).toBe('signed in')
})

async function sleeping(): Promise<number> {
  const [row] = await database.query<{ n: number }>(
    `select count(*)::int as n from pg_stat_activity where wait_event = 'PgSleep' and query like '%4321%' and datname = current_database()`,
  )
  return row?.n ?? 0
}

const applications = async () => (await cluster.client.sessions.list()).map(({ application }) => application)

async function nodeOf(application: string): Promise<string> {
  const sessions = await cluster.client.sessions.list()
  return sessions.find((session) => session.application === application)?.node ?? ''
}

/** What ended the connection. */
function lastError(client: pg.Client): Promise<unknown> {
  return new Promise((resolve) => client.once('error', resolve))
}
