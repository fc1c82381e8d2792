import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { waitFor } from './wait-for.ts'

let cluster: Cluster
let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
  cluster = await Cluster.start()
  await cluster.postgresStore('shop', database)
  await database.query(
    `create table orders as select n as id, 'customer ' || n as name, null::text as gone from generate_series(1, 1000) n`,
  )
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
})

const ORDERS = 'select id, name, gone from orders order by id limit 2'

test('a query answers in JSON, NDJSON and CSV, with the node that answered in the headers', async () => {
  const { client } = cluster
  const texts: Record<string, string> = {}
  for (const format of ['json', 'ndjson', 'csv'] as const) {
    const result = await client.query('shop', { sql: ORDERS, format })
    expect(['n1', 'n2']).toContain(result.node)
    let text = ''
    for await (const bytes of result.bytes) text += Buffer.from(bytes).toString()
    texts[format] = text
  }

  expect(JSON.parse(texts['json'] ?? '')).toEqual([
    { id: 1, name: 'customer 1', gone: null },
    { id: 2, name: 'customer 2', gone: null },
  ])
  expect(texts['ndjson']).toBe('{"id":1,"name":"customer 1","gone":null}\n{"id":2,"name":"customer 2","gone":null}\n')
  expect(texts['csv']?.replaceAll('\r\n', '\n')).toBe('id,name,gone\n1,customer 1,\n2,customer 2,\n')
})

test('a query answers as an Arrow stream', async () => {
  const result = await cluster.client.query('shop', { sql: 'select id, name from orders order by id', format: 'arrow' })
  const chunks: Uint8Array[] = []
  for await (const bytes of result.bytes) chunks.push(bytes)

  const table = tableFromIPC(Buffer.concat(chunks))

  expect(table.numRows).toBe(1_000)
  expect(table.getChild('name')?.get(999)).toBe('customer 1000')
})

test('parameters are sent apart from the statement', async () => {
  const result = await cluster.client.query('shop', { sql: 'select $1::text as said', params: ["'; drop table orders; --"] })

  expect(await result.rows()).toEqual([{ said: "'; drop table orders; --" }])
})

test('a query may not write unless it says so', async () => {
  const { client } = cluster

  await expect(client.query('shop', { sql: 'delete from orders where id = 1000' })).rejects.toMatchObject({ code: 'QUERY_READ_ONLY' })
  const done = await client.query('shop', { sql: 'delete from orders where id = 1000 returning id', mode: 'write' })

  expect(await done.rows()).toEqual([{ id: 1_000 }])
})

test('the command prints a table on stdout and who answered on stderr', async () => {
  const result = await cluster.cli(['query', 'shop', ORDERS, '--explain'])

  expect(result.code, result.stderr).toBe(0)
  expect(result.stdout).toBe('id  name        gone\n--  ----------  ----\n 1  customer 1  NULL\n 2  customer 2  NULL\n')
  expect(result.stderr).toMatch(
    /\(2 rows by node n[12] in [^)]+\)\nquery qry_\w+: succeeded.*\n {2}chosen {5}n[12]: .+\n {2}passed by {2}n[12]: .+\n {2}tried {6}n[12]: answered/,
  )
})

test('a client that leaves cancels the statement in the database', async () => {
  const running = () =>
    database.query(
      `select 1 from pg_stat_activity where query like '%generate_series(1, 900000000)%' and state = 'active' and pid <> pg_backend_pid()`,
    )
  const result = await cluster.client.query('shop', { sql: 'select generate_series(1, 900000000) as n', format: 'csv' })
  for await (const _ of result.bytes) break

  await waitFor('the statement is gone', running, (rows) => rows.length === 0)

  const view = await waitFor(
    'the query is over',
    () => cluster.client.queries.get(result.id),
    (seen) => seen.outcome !== 'running',
  )
  expect(view.outcome).toBe('cancelled')
})

test('a client that leaves before the first row cancels the statement too', async () => {
  const abort = new AbortController()
  const asked = cluster.client
    .query('shop', { sql: 'select pg_sleep(1234) as late', signal: abort.signal })
    .catch((thrown: unknown) => thrown)
  const sleeping = () => database.query(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`)
  await waitFor('the statement runs', sleeping, (rows) => rows.length === 1)

  abort.abort()
  await asked

  await waitFor('the statement is gone', sleeping, (rows) => rows.length === 0)
})

test('a client that does not read holds back the database, and nobody piles up memory', async () => {
  const sql = `select generate_series(1, 20000000) as n, repeat('x', 1000) as filler`
  const result = await cluster.client.query('shop', { sql, format: 'ndjson' })
  const iterator = result.bytes[Symbol.asyncIterator]()
  await iterator.next()
  await sleep(1_500)

  const before = await memory()
  await sleep(3_000)
  const after = await memory()

  const [waiting] = await database.query(
    `select wait_event from pg_stat_activity where query like '%20000000%' and pid <> pg_backend_pid()`,
  )
  expect(waiting).toEqual({ wait_event: 'ClientWrite' })
  for (const [name, bytes] of after) expect(bytes - (before.get(name) ?? 0), name).toBeLessThan(30_000_000)
  await iterator.return?.()
})

test('when a node dies, queries go on by the other', async () => {
  const { client } = cluster
  await cluster.node('n1').kill()

  for (let n = 0; n < 20; n += 1) {
    const result = await client.query('shop', { sql: `select ${n} as n` })
    expect(await result.rows()).toEqual([{ n }])
    expect(result.node).toBe('n2')
  }

  await cluster.node('n1').restart()
  await cluster.allOnline()
})

async function memory(): Promise<Map<string, number>> {
  const processes = [
    ['service', cluster.service.process] as const,
    ...[...cluster.nodes].map(([name, node]) => [name, node.process] as const),
  ]
  const sizes = await Promise.all(processes.map(async ([name, process]) => [name, await residentBytes(process.pid)] as const))
  return new Map(sizes)
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1_024
}
