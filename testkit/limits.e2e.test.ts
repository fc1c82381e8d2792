import { readFile } from 'node:fs/promises'
import { Client } from '@postern/client/client.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { waitFor } from './wait-for.ts'

let cluster: Cluster
let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
  cluster = await Cluster.start({ nodes: ['n1'] })
  await cluster.postgresStore('shop', database)
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
})

const rowsOf = (count: number) => `select n, repeat('x', 100) as filler from generate_series(1, ${count}) n`

/** What comes of a query: its rows, or the code of the fault, also of one that cut the answer. */
async function outcome(client: Client, sql: string, more: { maxRows?: number; timeoutMs?: number } = {}): Promise<number | string> {
  try {
    const result = await client.query('shop', { sql, format: 'ndjson', ...more })
    try {
      return (await result.rows()).length
    } catch {
      const view = await waitFor(
        'the query is over',
        () => cluster.client.queries.get(result.id),
        (seen) => seen.outcome !== 'running',
      )
      return `cut: ${view.fault}`
    }
  } catch (thrown) {
    return Fault.from(thrown).message
  }
}

test('limits of a store are set, shown, held and taken away by the command line, without opening the store anew', async () => {
  const set = await cluster.cli(['store', 'set', 'shop', 'limit.maxRows=1000', 'limit.timeoutMs=60000', '--json'])
  expect(JSON.parse(set.stdout)).toMatchObject({ limits: { maxRows: 1_000, timeoutMs: 60_000 }, version: 1 })

  expect(await outcome(cluster.client, rowsOf(1_000))).toBe(1_000)
  expect(await outcome(cluster.client, rowsOf(5_000), { maxRows: 10 })).toBe(10)
  expect(await outcome(cluster.client, rowsOf(1_001))).toContain('maxRows 1000 of store shop')
  const command = await cluster.cli(['query', 'shop', rowsOf(1_001)])
  expect(command.stderr).toContain('maxRows 1000 of store shop')
  expect(command.code).not.toBe(0)

  await cluster.cli(['store', 'set', 'shop', 'limit.maxRows='])
  expect(await outcome(cluster.client, rowsOf(5_000))).toBe(5_000)
  const wrong = await cluster.cli(['store', 'set', 'shop', 'limit.rows=5'])
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('timeoutMs, maxRows, maxBytes, concurrency')])
})

test('a byte limit cuts what is larger, and the query log says so', async () => {
  await cluster.cli(['store', 'set', 'shop', 'limit.maxBytes=200000'])

  expect(await outcome(cluster.client, rowsOf(1_000))).toBe(1_000)
  expect(await outcome(cluster.client, rowsOf(100_000))).toContain('maxBytes 200000 of store shop')

  await cluster.cli(['store', 'set', 'shop', 'limit.maxBytes='])
})

test('a time-out limit ends the statement in the database and names itself', async () => {
  await cluster.cli(['store', 'set', 'shop', 'limit.timeoutMs=500'])

  expect(await outcome(cluster.client, 'select pg_sleep(30)')).toContain('timeoutMs 500 of store shop')
  await waitFor(
    'nothing runs any more',
    () => database.query(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`),
    (rows) => rows.length === 0,
  )

  await cluster.cli(['store', 'set', 'shop', 'limit.timeoutMs='])
})

test('a statement of a node that was killed is ended by the database at its time-out', async () => {
  const asked = outcome(cluster.client, 'select pg_sleep(600)', { timeoutMs: 3_000 })
  const sleeping = () => database.query(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`)
  await waitFor('the statement runs', sleeping, (rows) => rows.length === 1)
  await cluster.node('n1').kill()

  expect(await asked).not.toBe(1)
  await waitFor('the database has ended it', sleeping, (rows) => rows.length === 0, { timeoutMs: 10_000 })

  await cluster.node('n1').restart()
  await cluster.allOnline()
})

test('a token is made with limits that hold for it only, is listed without its secret, and opens nothing once deleted', async () => {
  const made = await cluster.cli(['token', 'create', 'dashboards', '--role', 'user', '--max-rows', '10', '--concurrency', '3'])
  const token = made.stdout.trim()
  const dashboards = new Client({ url: cluster.service.url, token })

  expect(await outcome(dashboards, rowsOf(11))).toContain('maxRows 10 of token dashboards')
  expect(await outcome(cluster.client, rowsOf(11))).toBe(11)
  const list = await cluster.cli(['token', 'list'])
  expect(list.stdout).toMatch(/dashboards\s+-\s+user\s+(?:maxRows=10 concurrency=3|concurrency=3 maxRows=10)/)
  expect(list.stdout).not.toContain(token)

  const id = /tok_\w+/.exec(made.stderr)?.[0] ?? ''
  expect((await cluster.cli(['token', 'delete', id])).code).toBe(0)
  await waitFor(
    'it opens nothing',
    () => outcome(dashboards, 'select 1'),
    (seen) => String(seen).includes('token is not valid'),
  )
})

test('settings and credential of a store can be changed; what is not named stays', async () => {
  const moved = await cluster.cli(['store', 'set', 'shop', 'maxConnections=3', '--json'])
  expect(JSON.parse(moved.stdout)).toMatchObject({ settings: { maxConnections: 3, user: database.user }, secrets: ['password'] })

  const wrong = await cluster.cli(['store', 'set', 'shop', '--secret', 'password=-'], { input: 'not the password\n' })
  expect(wrong.code, wrong.stderr).toBe(0)
  const right = await cluster.cli(['store', 'set', 'shop', '--secret', 'password=-'], { input: `${database.password}\n` })
  expect(right.code, right.stderr).toBe(0)

  expect(await outcome(cluster.client, 'select 1')).toBe(1)
  const admin = await readFile(`${cluster.service.data}/admin-token`, 'utf8')
  expect(cluster.logs).not.toContain(admin.trim())
})
