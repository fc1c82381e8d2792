/** The life of a connection by the wire: who is let in, how long it stays, how it ends. */
import { once } from 'node:events'
import { createServer, connect as dial } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { waitFor } from './wait-for.ts'
import { lastError, refusalOf, type WireOptions, wireClient } from './wire-client.ts'

let cluster: Cluster
let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
  cluster = await Cluster.start()
  await cluster.postgresStore('shop', database)
  await cluster.filesStore('lake', '/tmp')
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
})

const signIn = (options: WireOptions = {}) => wireClient(cluster.service, options)
const stateOf = async (options: WireOptions = {}) => (await refusalOf(cluster.service, options))?.code ?? 'signed in'

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
  ['with TLS', { rejectUnauthorized: false }],
  ['without', false],
])('a client that leaves while the store is being signed in to gives its place back at once, %s', async (_, ssl) => {
  const silent = createServer((socket) => void socket.on('error', () => undefined).resume()).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const address = silent.address()
  const name = ssl ? 'silent-tls' : 'silent'
  await cluster.postgresStore(name, database, { host: '127.0.0.1', port: typeof address === 'object' && address ? address.port : 0 })
  const { token: password, postgresPort: port } = cluster.service
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'any', password, database: name, ssl, application_name: name })
  client.on('error', () => undefined)
  client.connect().catch(() => undefined)
  await waitFor('it is being opened', applications, (names) => names.includes(name))
  ;(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()

  await waitFor('it is gone', applications, (names) => !names.includes(name), { timeoutMs: 3_000 })
  silent.close()
})

test('what a client sends before it is let in waits for the store, and is answered', async () => {
  const message = (code: string, text: string) => {
    const body = Buffer.from(`${text}\0`)
    const head = Buffer.alloc(4)
    head.writeInt32BE(4 + body.length)
    return Buffer.concat([Buffer.from(code), head, body])
  }
  const socket = dial(cluster.service.postgresPort, '127.0.0.1')
  socket.write(message('', '\0\x03\0\0user\0any\0database\0shop\0'))
  await once(socket, 'data')
  socket.write(Buffer.concat([message('p', cluster.service.token), message('Q', 'select 1200 + 34 as sum')]))
  let heard = ''
  for await (const chunk of socket) {
    heard += String(chunk)
    if (heard.includes('SELECT 1')) break
  }

  expect(heard).toContain('1234')
})

test.each([
  ['nonsense', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['a huge length', Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 0])],
  ['a negative length', Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 3, 0, 0])],
  ['bytes behind the request for TLS', Buffer.concat([Buffer.from([0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]), Buffer.from('early')])],
])('%s ends a connection and nothing else', async (_, bytes) => {
  const socket = dial(cluster.service.postgresPort, '127.0.0.1')
  socket.on('error', () => undefined).write(bytes)
  socket.resume()
  await once(socket, 'close')

  expect(await stateOf()).toBe('signed in')
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
