import { expect, test } from 'vitest'
import { Client } from './client.ts'

const answering = (body: string | ReadableStream<Uint8Array>, init: ResponseInit = {}) =>
  new Client({
    url: 'http://service/',
    token: 't',
    fetch: async () =>
      new Response(body, { headers: { 'postern-query-id': 'qry_1', 'postern-node': 'n1', 'postern-attempts': '2' }, ...init }),
  })

test('rows of JSON and NDJSON, and who answered', async () => {
  const json = await answering('[{"a":1},{"a":2}]').query('shop', { sql: 'x' })
  const lines = await answering('{"a":1}\n{"a":2}\n').query('shop', { sql: 'x', format: 'ndjson' })

  expect([await json.rows(), await lines.rows()]).toEqual([
    [{ a: 1 }, { a: 2 }],
    [{ a: 1 }, { a: 2 }],
  ])
  expect(json).toMatchObject({ id: 'qry_1', node: 'n1', attempts: 2 })
})

test('a result that breaks off throws, whatever came before', async () => {
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.error(new Error('terminated'))
    },
  })
  const result = await answering(body).query('shop', { sql: 'x' })

  await expect(result.rows()).rejects.toMatchObject({ code: 'STORE_LOST', details: { query: 'qry_1' } })
})

test('leaving the loop lets go of the connection', async () => {
  let cancelled = false
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(new Uint8Array(10))
    },
    cancel() {
      cancelled = true
    },
  })
  const result = await answering(body).query('shop', { sql: 'x' })
  for await (const _ of result.bytes) break

  expect(cancelled).toBe(true)
})

test('a refusal is a fault, with the id of the query to look at', async () => {
  const problem = JSON.stringify({ code: 'QUERY_FAILED', title: 't', detail: 'syntax error at "selec"', remedy: 'r', requestId: 'req_1' })
  const client = answering(problem, { status: 400, headers: { 'content-type': 'application/problem+json', 'postern-query-id': 'qry_2' } })

  await expect(client.query('shop', { sql: 'selec' })).rejects.toMatchObject({
    code: 'QUERY_FAILED',
    message: 'syntax error at "selec"',
    details: { query: 'qry_2', requestId: 'req_1' },
  })
})

test('what answers but is no service is told apart from a service that is away', async () => {
  await expect(answering('<html>', { headers: { 'content-type': 'text/html' } }).gateways.list()).rejects.toMatchObject({
    code: 'NOT_A_SERVICE',
  })
  const away = new Client({
    url: 'http://service',
    fetch: () => Promise.reject(new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') })),
  })

  await expect(away.gateways.list()).rejects.toMatchObject({
    code: 'SERVICE_UNREACHABLE',
    message: expect.stringContaining('ECONNREFUSED'),
  })
})

test('a URL that is none is refused at once', () => {
  expect(() => new Client({ url: 'localhost:7400' })).toThrow('is not the URL of a service')
})
