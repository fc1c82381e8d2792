import type { ServerHttp2Stream } from 'node:http2'
import { systemClock } from '@postern/base/clock.ts'
import { type Log, silentLog } from '@postern/base/log.ts'
import type { ListOf } from '@postern/protocol/api/lists.ts'
import type { QueryView } from '@postern/protocol/api/queries.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { QueryId } from '@postern/protocol/ids.ts'
import { NODE_PATHS, STAGE_HEADER } from '@postern/protocol/link.ts'
import { expect, test, vi } from 'vitest'
import { Database } from '../db/database.ts'
import { answerRows, type FakeNode } from '../testing/fake-node.ts'
import { LocalService } from '../testing/local-service.ts'
import { refuse } from '../testing/query-rig.ts'
import { QueryLog } from './query-log.ts'
import type { QueryRecord } from './query-record.ts'
import { QueryRepository } from './query-repository.ts'

const pageOf = (service: LocalService, query: string) => service.api<ListOf<QueryView>>('GET', `/v1/queries?${query}`)

async function rig(settings: Record<string, unknown> = {}) {
  const service = await LocalService.start()
  const [node] = (await service.gateway(1, settings)) as [FakeNode]
  const ask = async (body: Record<string, unknown> = {}, headers = {}) => {
    const response = await service.fetch('POST', '/v1/stores/shop/query', { sql: 'select 1', ...body }, headers)
    await response.text()
    return response.headers.get('postern-query-id') ?? ''
  }
  const list = async (query: string) => (await pageOf(service, query)).items
  return { service, node, ask, list }
}

test('the log is filtered by store, outcome, caller, node, time and slowness', async () => {
  const { service, node, ask, list } = await rig()
  await using _ = service
  const { token } = await service.api<{ token: string }>('POST', '/v1/tokens', { name: 'ann', role: 'user' })
  const quick = await ask()
  node.handlers[NODE_PATHS.query] = (stream) => setTimeout(() => answerRows(stream, '[]', 0), 300)
  const since = new Date().toISOString()
  const slow = await ask({}, { authorization: `Bearer ${token}` })
  const ids = async (query: string) => (await list(query)).map(({ id }) => id)

  expect(await ids('limit=10')).toEqual([slow, quick])
  expect(await ids('slowerThanMs=250')).toEqual([slow])
  expect(await ids('caller=ann')).toEqual([slow])
  expect(await ids(`since=${since}`)).toEqual([slow])
  expect(await ids('node=a')).toEqual([slow, quick])
  expect(await ids('node=b')).toEqual([])
  expect((await service.fetch('GET', '/v1/queries?since=yesterday')).status).toBe(400)
  const [shown] = await list('caller=ann')
  expect(shown).toMatchObject({ caller: 'ann', store: 'shop', node: 'a', outcome: 'succeeded', sql: null })
  expect(shown?.firstRowMs).toBeGreaterThan(250)
})

test('the list of queries is paged, newest first', async () => {
  const { service, node, ask } = await rig()
  await using _ = service
  for (const sql of ['1', '2', '3']) await ask({ sql })
  node.handlers[NODE_PATHS.query] = refuse(new Fault('QUERY_FAILED'), 'in-store')
  await ask()

  const first = await pageOf(service, 'limit=3')
  const second = await pageOf(service, `limit=3&cursor=${first.nextCursor}`)
  const failed = await pageOf(service, 'outcome=failed&store=shop')

  expect(first.items.map(({ outcome }) => outcome)).toEqual(['failed', 'succeeded', 'succeeded'])
  expect(second.items).toHaveLength(1)
  expect(second.nextCursor).toBeNull()
  expect(failed.items).toHaveLength(1)
})

test('pages go from those that run to those that have ended, and leave out none that ended later than one that runs began', async () => {
  const { service, node, ask } = await rig()
  await using _ = service
  const streams: ServerHttp2Stream[] = []
  node.handlers[NODE_PATHS.query] = (stream) => streams.push(stream)
  const running = [ask({ sql: 'r1' }), ask({ sql: 'r2' }), ask({ sql: 'r3' })]
  await vi.waitUntil(() => streams.length === 3)
  node.handlers[NODE_PATHS.query] = (stream) => answerRows(stream, '[]', 0)
  for (const sql of ['e1', 'e2']) await ask({ sql })

  const seen: string[][] = []
  for (let cursor: string | null = ''; cursor !== null && seen.length < 9; ) {
    const page: ListOf<QueryView> = await pageOf(service, `limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`)
    seen.push(page.items.map(({ outcome }) => outcome))
    cursor = page.nextCursor
  }

  expect(seen).toEqual([['running', 'running'], ['running', 'succeeded'], ['succeeded']])
  for (const stream of streams) answerRows(stream, '[]', 0)
  await Promise.all(running)
})

test('the text of a statement is kept only where the gateway says so; parameters never, not even in an error that quotes them', async () => {
  const { service, node, ask } = await rig()
  await using _ = service
  const view = (id: string) => service.api<QueryView>('GET', `/v1/queries/${id}`)
  expect((await view(await ask({ sql: 'select 7' }))).sql).toBeNull()

  await service.api('PATCH', '/v1/gateways/demo', { settings: { keepSqlText: true } })
  node.handlers[NODE_PATHS.query] = (stream) => {
    stream.respond({ ':status': 400, [STAGE_HEADER]: 'in-store' })
    stream.end(JSON.stringify(new Fault('QUERY_FAILED', { at: 'invalid input syntax for type integer: "hunter2", nor "x"' })))
  }
  const kept = await view(await ask({ sql: 'select $1::int', params: ['hunter2', 'x'] }))

  expect(kept).toMatchObject({ sql: 'select $1::int', fault: expect.stringContaining('"…", nor "…"') })
  await service.api('GET', '/v1/queries')
  const [row] = await service.database.query(`select * from query_log where id = '${kept.id}'`)
  expect(JSON.stringify(row)).not.toContain('hunter2')
})

test('queries older than their gateway keeps them are deleted; with 0 days none is kept, yet the last ones can be explained', async () => {
  const { service, ask, list } = await rig()
  await using _ = service
  const old = await ask()
  const older = await ask()
  const young = await ask()
  await list('limit=10')
  const age = (id: string, days: number, gateway = 'demo') =>
    service.database.query(`update query_log set started_at = now() - interval '${days} days', gateway = '${gateway}' where id = '${id}'`)
  await age(old, 8)
  await age(older, 9, 'gone')
  await age(young, 6)
  const database = new Database({ target: () => ({ connectionString: service.database.url }), log: silentLog })
  const sweep = (queryLogDays: number) =>
    new QueryLog({
      queries: new QueryRepository(database.db),
      gateways: () => [{ name: 'demo', settings: { queryLogDays } }],
      clock: systemClock,
      log: silentLog,
    }).sweep()

  await sweep(10)
  expect((await list('limit=10')).map(({ id }) => id)).toEqual([young, old])
  await sweep(7)
  expect((await list('limit=10')).map(({ id }) => id)).toEqual([young])

  await service.api('PATCH', '/v1/gateways/demo', { settings: { queryLogDays: 0 } })
  const last = await ask()
  expect(await service.api('GET', `/v1/queries/${last}`)).toMatchObject({ outcome: 'succeeded' })
  expect((await list('limit=10')).map(({ id }) => id)).toEqual([young])
  await database.stop()
})

test('while the database is away a bounded number waits; what is dropped is counted, and said once', async () => {
  const said: unknown[] = []
  const log = { ...silentLog, warn: (fields: unknown) => said.push(fields), debug: () => undefined } as unknown as Log
  let away = true
  const written: string[] = []
  const add = async (records: readonly QueryRecord[]) => {
    if (away) throw new Fault('DATABASE_UNREACHABLE')
    written.push(...records.map(({ id }) => id))
  }
  const queries = new QueryLog({
    queries: { add } as unknown as QueryRepository,
    gateways: () => [],
    clock: systemClock,
    log,
    mostWaiting: 3,
  })

  for (let n = 1; n <= 5; n += 1) {
    queries.began(recordOf(n))
    queries.ended(recordOf(n))
    await queries.flush().catch(() => undefined)
  }
  expect([queries.dropped, said]).toEqual([2, []])
  away = false
  await queries.flush()
  await queries.flush()

  expect(written).toEqual(['qry_3', 'qry_4', 'qry_5'])
  expect(said).toEqual([{ queries: 2 }])
  expect(queries.dropped).toBe(2)
})

test('the figures of queries are there for Prometheus, by gateway and outcome only', async () => {
  const { service, node, ask } = await rig()
  await using _ = service
  await ask()
  let open: Parameters<typeof answerRows>[0] | undefined
  node.handlers[NODE_PATHS.query] = (stream) => {
    open = stream
  }
  const running = ask()
  await vi.waitUntil(() => open)
  const figures = async () => await (await service.fetch('GET', '/metrics')).text()

  const text = await figures()
  expect(text).toContain('postern_queries_total{gateway="demo",outcome="succeeded"} 1\n')
  expect(text).toContain('postern_queries_running{gateway="demo"} 1\n')
  expect(text).toContain('postern_query_duration_seconds_count{gateway="demo"} 1\n')
  expect(text).toContain('postern_query_queue_seconds_bucket{le="0.001",gateway="demo"} 1\n')
  expect(text).toContain('postern_query_log_dropped_total 0\n')
  if (open) answerRows(open, '[]', 0)
  await running
  expect(await figures()).not.toContain('postern_queries_running{')
})

const recordOf = (n: number): QueryRecord => ({
  id: `qry_${n}` as QueryId,
  store: 'shop',
  gateway: 'demo',
  caller: 'ann',
  callerId: null,
  storeId: null,
  gatewayId: null,
  address: null,
  format: 'json',
  mode: 'read',
  startedAt: n,
  kept: true,
  sql: null,
  node: null,
  outcome: 'succeeded',
  queuedMs: 0,
  firstRowMs: null,
  durationMs: 1,
  rows: 0,
  bytes: 0,
  fault: null,
  candidates: [],
  attempts: [],
})
