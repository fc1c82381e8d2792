import { once } from 'node:events'
import http from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { QueryView } from '@postern/protocol/api/queries.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { NODE_PATHS, STAGE_HEADER } from '@postern/protocol/link.ts'
import { expect, test, vi } from 'vitest'
import { answerRows, type FakeNode, type Handler } from '../testing/fake-node.ts'
import { LocalService } from '../testing/local-service.ts'

async function rig(nodes = 1, settings = {}) {
  const service = await LocalService.start()
  const [node, second] = (await service.gateway(nodes, settings)) as [FakeNode, FakeNode]
  const ask = (body: Record<string, unknown> = {}, headers = {}) =>
    service.fetch('POST', '/v1/stores/shop/query', { sql: 'select 1', ...body }, headers)
  const view = (response: Response) => service.api<QueryView>('GET', `/v1/queries/${response.headers.get('postern-query-id')}`)
  return { service, node, second, ask, view }
}

const refuse =
  (fault: Fault, stage?: string): Handler =>
  (stream) => {
    stream.respond({ ':status': 500, ...(stage ? { [STAGE_HEADER]: stage } : {}) })
    stream.end(JSON.stringify(fault))
  }

test("a node's bytes arrive as they are, with the order that was asked for", async () => {
  const { service, node, ask, view } = await rig()
  await using _ = service
  let order: unknown
  node.handlers[NODE_PATHS.query] = (stream, body) => {
    order = body
    answerRows(stream, '{"a":1}\n{"a":2}\n', 2)
  }

  const response = await ask({ params: [1, 'x', null], maxRows: 10, timeoutMs: 9_000 }, { accept: 'application/x-ndjson' })

  expect(await response.text()).toBe('{"a":1}\n{"a":2}\n')
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'application/x-ndjson',
    'postern-node': 'a',
    'postern-attempts': '1',
    'postern-query-id': expect.stringMatching(/^qry_/),
  })
  expect(order).toMatchObject({
    sql: 'select 1',
    params: [1, 'x', null],
    mode: 'read',
    maxRows: 10,
    format: 'ndjson',
    store: { name: 'shop', version: 1 },
  })
  expect(await view(response)).toMatchObject({
    store: 'shop',
    gateway: 'demo',
    node: 'a',
    outcome: 'succeeded',
    rows: 2,
    bytes: 16,
    candidates: [{ node: 'a', taken: true, reason: 'the only one that can' }],
    attempts: [{ node: 'a', outcome: 'answered', fault: null }],
  })
})

test('an answer without rows is whole, and a large one too', async () => {
  const { service, node, ask } = await rig()
  await using _ = service
  const large = 'x'.repeat(20 << 20)
  node.handlers[NODE_PATHS.query] = (stream, body) => answerRows(stream, (body as { sql: string }).sql === 'large' ? large : '', 0)

  expect(await (await ask()).text()).toBe('')
  expect((await (await ask({ sql: 'large' })).text()).length).toBe(large.length)
})

test('a failure before the store saw the statement goes to the next node silently, whatever the mode', async () => {
  const { service, node, second, ask, view } = await rig(2)
  await using _ = service
  node.handlers[NODE_PATHS.query] = refuse(new Fault('STORE_DENIED', { at: 'shop' }), 'before-store')
  second.handlers[NODE_PATHS.query] = (stream) => answerRows(stream, '[1]', 1)

  const response = await ask({ mode: 'write' })

  expect([await response.text(), response.headers.get('postern-node'), response.headers.get('postern-attempts')]).toEqual(['[1]', 'b', '2'])
  expect((await view(response)).candidates).toEqual([
    { node: 'a', taken: true, reason: 'the primary' },
    { node: 'b', taken: true, reason: expect.stringContaining('after a failed attempt') },
  ])
  expect((await view(response)).attempts).toMatchObject([
    { node: 'a', outcome: 'failed', fault: expect.stringContaining('STORE_DENIED') },
    { node: 'b' },
  ])
})

test('a node that dies after it took the statement: reads go on elsewhere, writes do not', async () => {
  const { service, node, second, ask } = await rig(2)
  await using _ = service
  node.handlers[NODE_PATHS.query] = () => node.unlink()
  second.handlers[NODE_PATHS.query] = (stream) => answerRows(stream, '[2]', 1)

  expect(await (await ask()).text()).toBe('[2]')
  await node.link()
  const write = await ask({ mode: 'write' })

  expect(write.status).toBe(502)
  expect(await write.json()).toMatchObject({ code: 'NODE_OFFLINE' })
})

test("the store's own refusal is the answer, and nobody else is asked", async () => {
  const { service, node, second, ask, view } = await rig(2)
  await using _ = service
  node.handlers[NODE_PATHS.query] = refuse(new Fault('QUERY_FAILED', { at: 'column "x" does not exist' }), 'in-store')
  second.handlers[NODE_PATHS.query] = (stream) => answerRows(stream, 'wrong', 1)

  const response = await ask()

  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ code: 'QUERY_FAILED', detail: expect.stringContaining('column "x"') })
  expect(await view(response)).toMatchObject({ outcome: 'failed', attempts: [{ node: 'a' }] })
})

test('an answer that fails after its first byte is cut, never ended as if whole', async () => {
  const { service, node, ask, view } = await rig()
  await using _ = service
  node.handlers[NODE_PATHS.query] = (stream) => answerRows(stream, 'x'.repeat(200_000), 5, new Fault('STORE_LOST', { at: 'shop' }).toJSON())

  const response = await ask()

  expect(response.status).toBe(200)
  await expect(response.text()).rejects.toThrow()
  await vi.waitFor(async () =>
    expect(await view(response)).toMatchObject({ outcome: 'failed', fault: expect.stringContaining('STORE_LOST') }),
  )
})

test('a link that breaks in the middle cuts the answer too, and the node without trailers is not believed', async () => {
  const { service, node, ask } = await rig()
  await using _ = service
  const respond = (stream: ServerHttp2Stream) => {
    stream.respond({ ':status': 200 })
    stream.write('x'.repeat(200_000))
  }
  node.handlers[NODE_PATHS.query] = (stream) => {
    respond(stream)
    setTimeout(() => node.unlink(), 50)
  }
  await expect((await ask()).text()).rejects.toThrow()

  await node.link()
  node.handlers[NODE_PATHS.query] = (stream) => {
    respond(stream)
    stream.end()
  }
  await expect((await ask()).text()).rejects.toThrow()
})

test('a fault before the first byte is an answer with its status, although the node had begun', async () => {
  const { service, node, ask } = await rig()
  await using _ = service
  node.handlers[NODE_PATHS.query] = (stream) => answerRows(stream, '', 0, new Fault('QUERY_FAILED', { at: 'division by zero' }).toJSON())

  const response = await ask()

  expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ code: 'QUERY_FAILED' })])
})

test('a client that leaves resets the stream of the node, and gives its place back', async () => {
  const { service, node, view } = await rig(1, { queryConcurrency: 1 })
  await using _ = service
  const { promise: reset, resolve } = Promise.withResolvers<number>()
  node.handlers[NODE_PATHS.query] = (stream) => {
    stream.respond({ ':status': 200 })
    stream.write('first')
    stream.on('close', () => resolve(stream.rstCode))
  }
  const gone = new AbortController()
  const response = await fetch(`${service.url}/v1/stores/shop/query`, {
    method: 'POST',
    headers: { ...service.headers, 'content-type': 'application/json' },
    body: '{"sql":"select 1"}',
    signal: gone.signal,
  })
  expect(await view(response)).toMatchObject({ outcome: 'running', node: 'a' })

  gone.abort()

  expect(await reset).toBe(8)
  await vi.waitFor(async () => expect(await view(response)).toMatchObject({ outcome: 'cancelled', attempts: [{ outcome: 'cancelled' }] }))
  node.handlers[NODE_PATHS.query] = (stream) => answerRows(stream, '[]', 0)
  expect((await service.fetch('POST', '/v1/stores/shop/query', { sql: 'select 1' })).status).toBe(200)
})

test('a client that reads slowly holds back the node', async () => {
  const { service, node } = await rig()
  await using _ = service
  let sent = 0
  node.handlers[NODE_PATHS.query] = (stream) => {
    stream.respond({ ':status': 200 })
    const chunk = Buffer.alloc(1 << 20)
    const more = () => {
      if (stream.destroyed) return
      sent += chunk.length
      if (stream.write(chunk)) setImmediate(more)
      else stream.once('drain', more)
    }
    more()
  }
  const request = http.request(`${service.url}/v1/stores/shop/query`, {
    method: 'POST',
    agent: false,
    headers: { ...service.headers, 'content-type': 'application/json' },
  })
  request.end('{"sql":"select 1"}')
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  response.on('error', () => undefined)

  let before = -1
  await vi.waitUntil(
    () => {
      const still = sent === before
      before = sent
      return still
    },
    { interval: 300, timeout: 10_000 },
  )

  expect(sent).toBeLessThan(64 << 20)
  response.destroy()
})

test('a query that takes too long ends as TIMED_OUT', async () => {
  const { service, node, ask } = await rig(2)
  await using _ = service
  node.handlers[NODE_PATHS.query] = () => undefined

  const response = await ask({ timeoutMs: 100 })

  expect(await response.json()).toMatchObject({ code: 'TIMED_OUT' })
})

test('at the limit a query waits its turn, and then fails with the text of the gateway', async () => {
  const { service, node, ask, view } = await rig(1, { queryConcurrency: 1, queueTimeoutMs: 400 })
  await using _ = service
  const streams: ServerHttp2Stream[] = []
  node.handlers[NODE_PATHS.query] = (stream) => streams.push(stream)
  const first = ask()
  await vi.waitUntil(() => streams.length === 1)

  const late = await ask()
  expect(late.status).toBe(429)
  expect(late.headers.get('retry-after')).toBe('1')
  expect(await late.json()).toMatchObject({
    code: 'GATEWAY_AT_LIMIT',
    detail: expect.stringMatching(/^The gateway you selected can't establish data source/),
  })
  const waiting = ask()
  setTimeout(() => {
    for (const stream of streams) answerRows(stream, '[1]', 1)
  }, 100)
  node.handlers[NODE_PATHS.query] = (stream) => answerRows(stream, '[2]', 1)

  expect(await (await first).text()).toBe('[1]')
  const second = await waiting
  expect(await second.text()).toBe('[2]')
  expect((await view(second)).queuedMs).toBeGreaterThan(30)
})

test('without a node that can, the answer says why for each', async () => {
  const { service, node, second, ask } = await rig(2)
  await using _ = service
  node.unlink()
  await service.api('POST', '/v1/gateways/demo/nodes/b/disable')

  const problem = await vi.waitUntil(async () => {
    const response = await ask()
    return response.ok ? undefined : ((await response.json()) as { code: string; detail: string })
  })

  expect(problem).toMatchObject({ code: 'NO_NODE_AVAILABLE', detail: expect.stringMatching(/a has no link, b is disabled/) })
  expect(second.name).toBe('b')
})

test('what cannot be asked is refused before it reaches a node', async () => {
  const { service, ask } = await rig()
  await using _ = service

  expect(await (await ask({}, { accept: 'image/png' })).json()).toMatchObject({
    code: 'INPUT_INVALID',
    detail: expect.stringContaining('Accept'),
  })
  expect(await (await service.fetch('POST', '/v1/stores/nowhere/query', { sql: 'x' })).json()).toMatchObject({ code: 'STORE_UNKNOWN' })
  expect(await (await ask({ sql: '' })).json()).toMatchObject({ code: 'INPUT_INVALID', detail: expect.stringContaining('sql') })
  expect((await service.fetch('GET', '/v1/queries/qry_00000000000000000000')).status).toBe(404)
})

test('the list of queries is paged, newest first, and filtered', async () => {
  const { service, node, ask } = await rig()
  await using _ = service
  for (const sql of ['1', '2', '3']) await (await ask({ sql })).text()
  node.handlers[NODE_PATHS.query] = refuse(new Fault('QUERY_FAILED'), 'in-store')
  await (await ask()).text()
  interface List {
    readonly items: readonly QueryView[]
    readonly next?: string | null
    readonly nextCursor?: string | null
  }
  const list = (query: string) => service.api<List>('GET', `/v1/queries?${query}`)

  const first = await list('limit=3')
  const second = await list(`limit=3&cursor=${first.next ?? first.nextCursor}`)
  const failed = await list('outcome=failed&store=shop')

  expect(first.items.map(({ outcome }) => outcome)).toEqual(['failed', 'succeeded', 'succeeded'])
  expect(second.items).toHaveLength(1)
  expect(second.next ?? second.nextCursor ?? null).toBeNull()
  expect(failed.items).toHaveLength(1)
})

test('events tell of queries and nodes while they happen', async () => {
  const { service, node, ask } = await rig()
  await using _ = service
  const response = await service.fetch('GET', '/v1/events?type=query,node')
  const reader = (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const reading = (async () => {
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value
  })().catch(() => undefined)

  await (await ask()).text()
  node.unlink()

  await vi.waitUntil(() => text.includes('"outcome":"succeeded"') && text.includes('"node":"a","status":"'))
  await reader.cancel()
  await reading
})

test('a store is tested and browsed by the very path of queries', async () => {
  const { service, node } = await rig()
  await using _ = service
  node.handlers[NODE_PATHS.testStore] = (stream, body) => {
    stream.respond({ ':status': 200 })
    stream.end(JSON.stringify({ ok: true, durationMs: 3, server: `PostgreSQL for ${(body as { store: { name: string } }).store.name}` }))
  }
  node.handlers[NODE_PATHS.browseStore] = (stream, body) => {
    stream.respond({ ':status': 200 })
    stream.end(JSON.stringify({ path: (body as { path: string }).path, entries: [], truncated: false }))
  }

  expect(await service.api('POST', '/v1/stores/shop/test', {})).toEqual({
    ok: true,
    node: 'a',
    durationMs: 3,
    server: 'PostgreSQL for shop',
  })
  expect(await service.api('GET', '/v1/stores/shop/catalog?path=public')).toEqual({ path: 'public', entries: [], truncated: false })
  node.handlers[NODE_PATHS.testStore] = refuse(new Fault('STORE_UNREACHABLE', { at: 'db:5432' }))
  expect(await service.api('POST', '/v1/stores/shop/test', { node: 'a' })).toMatchObject({
    ok: false,
    fault: { code: 'STORE_UNREACHABLE' },
  })
  await expect(service.api('POST', '/v1/stores/shop/test', { node: 'z' })).rejects.toThrow('NODE_UNKNOWN')
})
