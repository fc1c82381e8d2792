/** Answers on their way from a node to a client: whole, cut, held back; and what stands beside them. */
import { once } from 'node:events'
import http from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import { Fault } from '@postern/protocol/fault.ts'
import { NODE_PATHS } from '@postern/protocol/link.ts'
import { expect, test, vi } from 'vitest'
import { answerRows } from '../testing/fake-node.ts'
import { queryRig, refuse } from '../testing/query-rig.ts'

test("a node's bytes arrive as they are, with the order that was asked for", async () => {
  const { service, node, ask, view } = await queryRig()
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
  const { service, node, ask } = await queryRig()
  await using _ = service
  const large = 'x'.repeat(20 << 20)
  node.handlers[NODE_PATHS.query] = (stream, body) => answerRows(stream, (body as { sql: string }).sql === 'large' ? large : '', 0)

  expect(await (await ask()).text()).toBe('')
  expect((await (await ask({ sql: 'large' })).text()).length).toBe(large.length)
})

test('an answer that fails after its first byte is cut, never ended as if whole', async () => {
  const { service, node, ask, view } = await queryRig()
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
  const { service, node, ask } = await queryRig()
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
  const { service, node, ask } = await queryRig()
  await using _ = service
  node.handlers[NODE_PATHS.query] = (stream) => answerRows(stream, '', 0, new Fault('QUERY_FAILED', { at: 'division by zero' }).toJSON())

  const response = await ask()

  expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ code: 'QUERY_FAILED' })])
})

test('a client that leaves resets the stream of the node, and gives its place back', async () => {
  const { service, node, view } = await queryRig(1, { queryConcurrency: 1 })
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
  const { service, node } = await queryRig()
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
  const { service, node, ask } = await queryRig(2)
  await using _ = service
  node.handlers[NODE_PATHS.query] = () => undefined

  const response = await ask({ timeoutMs: 100 })

  expect(await response.json()).toMatchObject({ code: 'TIMED_OUT' })
})

test('what cannot be asked is refused before it reaches a node', async () => {
  const { service, ask } = await queryRig()
  await using _ = service

  expect(await (await ask({}, { accept: 'image/png' })).json()).toMatchObject({
    code: 'INPUT_INVALID',
    detail: expect.stringContaining('Accept'),
  })
  expect(await (await service.fetch('POST', '/v1/stores/nowhere/query', { sql: 'x' })).json()).toMatchObject({ code: 'STORE_UNKNOWN' })
  expect(await (await ask({ sql: '' })).json()).toMatchObject({ code: 'INPUT_INVALID', detail: expect.stringContaining('sql') })
  expect((await service.fetch('GET', '/v1/queries/qry_00000000000000000000')).status).toBe(404)
})

test('events tell of queries and nodes while they happen', async () => {
  const { service, node, ask } = await queryRig()
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
  const { service, node } = await queryRig()
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
