import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from '@postern/client/client.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Balancer } from './balancer.ts'
import { postern } from './cli.ts'
import { TestNode } from './node.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { PostgresServer } from './postgres-server.ts'
import { TestService } from './service.ts'
import { waitFor } from './wait-for.ts'

let server: PostgresServer
let control: TestDatabase
let database: TestDatabase
let a: TestService
let b: TestService
let balancer: Balancer
const nodes: TestNode[] = []

beforeAll(async () => {
  server = await PostgresServer.start()
  ;[control, database] = await Promise.all([testDatabase({ server }), testDatabase()])
  const options = { database: 'embedded', args: ['--database-url', control.url] } as const
  a = await TestService.start(options)
  b = await TestService.start(options)
  balancer = await Balancer.over([a.port, b.port])
  const { key1: key } = await a.client.gateways.create({ name: 'demo' })
  for (const name of ['n1', 'n2']) nodes.push(await TestNode.start({ name, url: balancer.url, key }))
  // Knows only one of the replicas.
  const { key1: other } = await b.client.gateways.create({ name: 'far' })
  nodes.push(await TestNode.start({ name: 'solo', url: a.url, key: other }))
  for (const replica of [a, b]) for (const gateway of ['demo', 'far']) await online(replica, gateway)
  await database.query(`create table orders as select n as id, repeat('x', 500) as text from generate_series(1, 20000) n`)
  await store('shop', 'demo')
  await store('far-shop', 'far')
}, 60_000)

afterAll(async () => {
  await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()))
  await balancer?.[Symbol.asyncDispose]()
  await b?.[Symbol.asyncDispose]()
  await a?.[Symbol.asyncDispose]()
  // Its databases go with it.
  await server?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
})

const online = (replica: TestService, gateway: string) =>
  waitFor(
    `all nodes of ${gateway} are online at ${replica.url}`,
    () => replica.client.nodes.list(gateway),
    (seen) => seen.length > 0 && seen.every((node) => node.status === 'online'),
    { timeoutMs: 30_000 },
  )

async function store(name: string, gateway: string): Promise<void> {
  const set = [`host=${database.host}`, `port=${database.port}`, `database=${database.name}`, `user=${database.user}`]
  const words = set.flatMap((word) => ['--set', word])
  const args = ['store', 'create', name, '--gateway', gateway, '--kind', 'postgres', ...words, '--secret', 'password=-']
  const made = await postern(args, { env: a.env, input: `${database.password}\n` })
  if (made.code !== 0) throw new Error(made.stderr)
}

async function count(client: Client, at: string, sql = 'select id, text from orders order by id'): Promise<number> {
  const answer = await client.query(at, { sql, format: 'ndjson' })
  let lines = 0
  for await (const bytes of answer.bytes) lines += Buffer.from(bytes).toString().split('\n').length - 1
  return lines
}

test('a node that is linked to one replica answers queries that come to another', async () => {
  expect(await count(a.client, 'far-shop')).toBe(20_000)
  expect(await count(b.client, 'far-shop')).toBe(20_000)
})

test('faults, tests and cancelling pass between replicas too', async () => {
  await expect(b.client.query('far-shop', { sql: 'select * from nothing' })).rejects.toMatchObject({ code: 'QUERY_FAILED' })
  expect(await b.client.stores.test('far-shop')).toMatchObject({ ok: true, node: 'solo' })
  const leaving = await b.client.query('far-shop', {
    sql: 'select pg_sleep(0), repeat($1, 1000) from generate_series(1, 1000000)',
    params: ['leaver'],
  })
  const active = () =>
    database.query(`select 1 from pg_stat_activity where query like '%1000000%' and state = 'active' and pid <> pg_backend_pid()`)
  const chunks = leaving.bytes[Symbol.asyncIterator]()
  await chunks.next()
  expect(await active()).toHaveLength(1)
  await chunks.return?.()
  await waitFor('the statement is cancelled', active, (rows) => rows.length === 0)
})

test('a request may reach any replica: queries and a copy through the balancer', async () => {
  const client = new Client({ url: balancer.url, token: a.token })
  for (let n = 0; n < 10; n += 1) expect(await count(client, 'shop', 'select 1 as one')).toBe(1)
  const run = await client.copy({ source: 'shop', sink: 'shop', from: 'orders', to: 'orders_copied', parts: 2 })
  const ended = await waitFor(
    'the copy has ended',
    () => client.runs.get(run.id),
    (seen) => seen.endedAt !== null,
    { timeoutMs: 60_000 },
  )
  expect(ended.status).toBe('succeeded')
})

const linksOf = (node: TestNode) => node.process.log.split('\n').filter((line) => line.includes('link is up')).length

test('a replica that is killed is not missed by clients of another, and nodes come back to it', async () => {
  const [n1, n2] = nodes
  if (!n1 || !n2) throw new Error('There are no nodes.')
  await waitFor('both nodes have two links', () => Promise.resolve(linksOf(n1) >= 2 && linksOf(n2) >= 2), Boolean, { timeoutMs: 30_000 })
  const before = linksOf(n1) + linksOf(n2)
  const failures: unknown[] = []
  let asked = 0
  const until = new AbortController()
  const querying = (async () => {
    while (!until.signal.aborted) {
      asked += 1
      await count(a.client, 'shop', 'select id from orders limit 10').catch((cause: unknown) => failures.push(cause))
    }
  })()

  await waitFor('queries run', () => Promise.resolve(asked > 20))
  await b.kill()
  const then = asked
  await waitFor('more queries have run', () => Promise.resolve(asked > then + 200))
  await b.restart()
  await waitFor('both nodes are linked to it again', () => Promise.resolve(linksOf(n1) + linksOf(n2) >= before + 2), Boolean, {
    timeoutMs: 30_000,
  })
  until.abort()
  await querying

  expect(failures).toEqual([])
  expect(await count(b.client, 'shop')).toBe(20_000)
}, 90_000)

test('while the database of the replicas is away queries go on, and a write says why it does not', async () => {
  const failures: unknown[] = []
  const waits: number[] = []
  const until = new AbortController()
  const client = new Client({ url: balancer.url, token: a.token })
  for (const replica of [a, b])
    await new Client({ url: replica.url, token: a.token }).query('shop', { sql: 'select 1' }).then((answer) => answer.rows())
  const querying = (async () => {
    while (!until.signal.aborted) {
      const from = performance.now()
      await count(client, 'shop', 'select id from orders limit 10').catch((cause: unknown) => failures.push(cause))
      waits.push(performance.now() - from)
      await sleep(20)
    }
  })()

  await server.stop()
  const away = sleep(10_000)
  const write = await fetch(`${a.url}/v1/gateways`, {
    method: 'POST',
    headers: { authorization: `Bearer ${a.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'late' }),
  })
  expect([write.status, write.headers.get('retry-after')]).toEqual([503, '1'])
  expect(await write.json()).toMatchObject({ code: 'DATABASE_UNREACHABLE' })
  await away
  const during = waits.length
  await server.restart()
  await waitFor('a write passes again', () => a.client.gateways.create({ name: 'late' }).catch(() => undefined), Boolean, {
    timeoutMs: 20_000,
  })
  until.abort()
  await querying

  expect(failures).toEqual([])
  expect(during).toBeGreaterThan(50)
  expect(Math.max(...waits)).toBeLessThan(3_000)
}, 60_000)
