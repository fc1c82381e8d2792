import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { postern } from '@postern/testkit/cli.ts'
import { type TestFolder, testFolder } from '@postern/testkit/folder.ts'
import { type TestDatabase, testDatabase } from '@postern/testkit/postgres.ts'
import { TestService } from '@postern/testkit/service.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LocalNode } from './testing/local-node.ts'

let service: TestService
let database: TestDatabase
let folder: TestFolder
let nodes: readonly LocalNode[]

beforeAll(async () => {
  ;[service, database, folder] = await Promise.all([TestService.start(), testDatabase(), testFolder()])
  await database.query(
    'create table orders (id int primary key, customer text); insert into orders select i, $q$c$q$ || i from generate_series(1, 20000) i',
  )
  const { key1: key } = await service.client.gateways.create({ name: 'demo' })
  nodes = [await LocalNode.start({ url: service.url, key, name: 'one' }), await LocalNode.start({ url: service.url, key, name: 'two' })]
  const all = () => service.client.nodes.list('demo')
  await waitFor(
    'two nodes',
    all,
    (seen) => seen.length === 2 && seen.every(({ status, linkTransport }) => status === 'online' && linkTransport),
  )
  await waitFor(
    'both have the key',
    () => Promise.all(nodes.map((node) => node.status())),
    (seen) => seen.every((one) => one.gatewayKeyFingerprint),
  )
  await createStores()
})
afterAll(async () => {
  for (const node of nodes ?? []) await node[Symbol.asyncDispose]()
  await service?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
  await folder?.[Symbol.asyncDispose]()
})

async function createStores(): Promise<void> {
  const { host, port, name, user, password } = database
  const settings = Object.entries({ host, port, database: name, user }).flatMap(([key, value]) => ['--set', `${key}=${value}`])
  const lake = join(folder.path, 'lake')
  await mkdir(lake)
  const words = ['--gateway', 'demo', '--kind']
  for (const [args, input] of [
    [['store', 'create', 'shop', ...words, 'postgres', ...settings, '--secret', 'password=-'], password],
    [['store', 'create', 'lake', ...words, 'files', '--set', `path=${lake}`], ''],
  ] as const) {
    const made = await postern([...args], { env: service.env, input: `${input}\n` })
    if (made.code !== 0) throw new Error(made.stderr)
  }
}

test('a query is answered with the credential that only the nodes can open', async () => {
  const answer = await service.client.query('shop', { sql: 'select id, customer from orders where id = $1', params: [7] })

  expect(await answer.rows()).toEqual([{ id: 7, customer: 'c7' }])
})

test('a statement that is wrong says what the store said', async () => {
  const asking = service.client.query('shop', { sql: 'select nothing from nowhere' })

  await expect(asking).rejects.toMatchObject({ code: 'QUERY_FAILED', message: expect.stringContaining('nowhere') })
})

test('a failure in the midst of the rows is not taken for their end', async () => {
  const answer = await service.client.query('shop', {
    sql: "select repeat('x', 200), 1 / (15000 - id) from orders order by id",
    format: 'csv',
  })

  await expect(Array.fromAsync(answer.bytes)).rejects.toBeDefined()
})

const statements = async () => {
  const sql = `select count(*)::int as count from pg_stat_activity where state = 'active' and query like '%pg_sleep(60)%' and pid <> pg_backend_pid()`
  return (await database.query<{ count: number }>(sql))[0]?.count
}

test('who leaves takes the statement in the database along', async () => {
  const leaving = new AbortController()
  const asking = service.client.query('shop', { sql: 'select pg_sleep(60)', signal: leaving.signal }).catch(() => undefined)
  await waitFor('the statement', statements, (count) => count === 1)

  leaving.abort()

  await waitFor('its end', statements, (count) => count === 0)
  await asking
})

test('a query that takes too long is ended, in the database too', async () => {
  const asking = service.client.query('shop', { sql: 'select pg_sleep(60)', timeoutMs: 300 })

  await expect(asking).rejects.toMatchObject({ code: 'TIMED_OUT' })
  await waitFor('its end', statements, (count) => count === 0)
})

test('a store is tested by a node, and its tables are listed', async () => {
  const tested = await service.client.stores.test('shop')
  const catalog = await service.client.stores.catalog('shop')

  expect(tested).toMatchObject({ ok: true, server: expect.stringContaining('PostgreSQL') })
  expect(catalog.entries.length).toBeGreaterThan(0)
})

test('a copy is run by both nodes: the dispatcher hands tasks to the other over the channel', async () => {
  const copy = { source: 'shop', sink: 'lake', from: 'orders', to: 'orders.csv/', parts: 8 } as const
  const run = await service.client.copy(copy)

  const ended = await waitFor(
    'the run to end',
    () => service.client.runs.get(run.id),
    ({ status }) => status !== 'queued' && status !== 'running',
    { timeoutMs: 40_000 },
  )

  expect(ended.fault).toBeNull()
  expect(ended).toMatchObject({ status: 'succeeded', rowsWritten: 20_000 })
  expect(new Set(ended.tasks.map((task) => task.node))).toEqual(new Set(['one', 'two']))
  expect(await readdir(join(folder.path, 'lake', 'orders.csv'))).not.toEqual([])
})

test('a node that is started again opens its stores from its own vault, the service being asked for nothing', async () => {
  const [first] = nodes
  await first?.restart()
  await waitFor('the link', async () => (await first?.status())?.link.state === 'up')

  const answers = await Promise.all(Array.from({ length: 10 }, () => service.client.query('shop', { sql: 'select 1 as one' })))

  for (const answer of answers) expect(await answer.rows()).toEqual([{ one: 1 }])
})
