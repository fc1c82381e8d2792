/** The ticket of a data connection: good once, for one node, while its session is being opened. */
import { once } from 'node:events'
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import {
  CONNECT_PROTOCOL,
  ConnectOrder,
  DATA_HEADER,
  DATA_PATH,
  DATA_PROTOCOL,
  NODE_PATHS,
  ORDER_HEADER,
  TICKET_HEADER,
} from '@postern/protocol/link.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { FakeNode } from '../testing/fake-node.ts'
import { LocalService } from '../testing/local-service.ts'
import { upgrade } from '../testing/upgrade.ts'

let service: LocalService
let first: FakeNode
let second: FakeNode
/** Orders that came to the first node, and wait for its answer. */
let orders: { readonly ticket: string; readonly stream: ServerHttp2Stream }[]

beforeAll(async () => {
  service = await LocalService.start()
  const [a, b] = await service.gateway(2)
  if (!a || !b) throw new Error('There are no two nodes.')
  ;[first, second] = [a, b]
})

afterAll(async () => {
  await service?.[Symbol.asyncDispose]()
})

beforeEach(() => {
  orders = []
  first.duplex[NODE_PATHS.connect] = (stream, headers) => orders.push({ ticket: ticketOf(headers), stream })
  // Else the next one takes what the first refuses.
  second.duplex[NODE_PATHS.connect] = refuse
})

const ticketOf = (headers: IncomingHttpHeaders): string =>
  ConnectOrder.parse(JSON.parse(Buffer.from(String(headers[ORDER_HEADER]), 'base64url').toString())).ticket ?? ''

function refuse(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 502, 'content-type': 'application/json' })
  stream.end(JSON.stringify({ code: 'STORE_UNREACHABLE', message: 'The store did not answer.' }))
}

function connect(signal?: AbortSignal) {
  const answer = upgrade(`${service.url}/v1/stores/shop/connect`, { ...service.headers, upgrade: CONNECT_PROTOCOL }, signal)
  answer.catch(() => undefined)
  return answer
}

async function ordered(): Promise<{ readonly ticket: string; readonly stream: ServerHttp2Stream }> {
  const [order] = await waitFor(
    'the node has the order',
    () => Promise.resolve(orders),
    (seen) => seen.length > 0,
  )
  if (!order) throw new Error('There is no order.')
  return order
}

function dial(node: FakeNode, ticket: string) {
  const headers = { upgrade: DATA_PROTOCOL, authorization: node.authorization('GET', DATA_PATH), [TICKET_HEADER]: ticket }
  return upgrade(service.url + DATA_PATH, headers)
}

const UNKNOWN = { status: 404, code: 'TICKET_UNKNOWN' }

test('a ticket is good once: not again while its connection waits, nor when the session runs, nor after its end', async () => {
  const client = connect()
  const { ticket, stream } = await ordered()
  const data = await dial(first, ticket)
  expect(data.status).toBe(101)
  expect(await dial(first, ticket)).toMatchObject(UNKNOWN)

  stream.respond({ ':status': 200, [DATA_HEADER]: 'beside' })
  const { socket } = await client
  expect(await dial(first, ticket)).toMatchObject(UNKNOWN)
  socket?.write('hello')
  expect(String((await once(data.socket ?? stream, 'data'))[0])).toBe('hello')

  const ended = once(data.socket ?? stream, 'close')
  socket?.destroy()
  stream.close(constants.NGHTTP2_CANCEL)
  await ended
  expect(await dial(first, ticket)).toMatchObject(UNKNOWN)
})

test('of two that come with it at the same time one is let in', async () => {
  const client = connect()
  const { ticket, stream } = await ordered()
  const dialled = await Promise.all(Array.from({ length: 8 }, () => dial(first, ticket)))

  expect(dialled.map(({ status }) => status).toSorted()).toEqual([101, 404, 404, 404, 404, 404, 404, 404])
  stream.respond({ ':status': 200, [DATA_HEADER]: 'beside' })
  ;(await client).socket?.destroy()
})

test("another node's ticket is as unknown as none, and stays good for its own", async () => {
  const client = connect()
  const { ticket, stream } = await ordered()

  expect(await dial(second, ticket)).toMatchObject(UNKNOWN)
  expect(await dial(second, 'none')).toMatchObject(UNKNOWN)
  expect((await dial(first, ticket)).status).toBe(101)
  stream.respond({ ':status': 200, [DATA_HEADER]: 'beside' })
  ;(await client).socket?.destroy()
})

test('a ticket ends when the node takes the link instead', async () => {
  const client = connect()
  const { ticket, stream } = await ordered()
  stream.respond({ ':status': 200 })
  const { socket } = await client

  expect(await dial(first, ticket)).toMatchObject(UNKNOWN)
  socket?.destroy()
})

test('a ticket ends with its refusal, and a connection that was dialled with it is closed', async () => {
  const client = connect()
  const { ticket, stream } = await ordered()
  const { socket } = await dial(first, ticket)
  const closed = once(socket ?? stream, 'close')
  socket?.resume()
  refuse(stream)

  expect(await client).toMatchObject({ code: 'STORE_UNREACHABLE' })
  await closed
  expect(await dial(first, ticket)).toMatchObject(UNKNOWN)
})

test('a ticket ends when its client leaves', async () => {
  const leaving = new AbortController()
  const client = connect(leaving.signal)
  const { ticket, stream } = await ordered()
  const cancelled = once(stream, 'close')
  leaving.abort()
  await expect(client).rejects.toThrow()
  const since = performance.now()
  await cancelled
  expect(performance.now() - since).toBeLessThan(5_000)

  expect(await dial(first, ticket)).toMatchObject(UNKNOWN)
})

test('a ticket ends after 20 s at a node that says nothing, and the client is told', async () => {
  const client = connect()
  const { ticket, stream } = await ordered()
  const cancelled = once(stream, 'close')
  const { socket } = await dial(first, ticket)
  const closed = once(socket ?? stream, 'close')
  socket?.resume()

  // The first node's time is over; the second refuses.
  expect(await client).toMatchObject({ code: 'STORE_UNREACHABLE' })
  await Promise.all([cancelled, closed])
  expect(await dial(first, ticket)).toMatchObject(UNKNOWN)
}, 40_000)

test('a ticket is nothing without the proof of its node', async () => {
  const client = connect()
  const { ticket, stream } = await ordered()
  const url = service.url + DATA_PATH

  expect((await upgrade(url, { upgrade: DATA_PROTOCOL, [TICKET_HEADER]: ticket })).status).toBe(403)
  expect((await upgrade(url, { ...service.headers, upgrade: DATA_PROTOCOL, [TICKET_HEADER]: ticket })).status).toBe(403)
  const other = { authorization: first.authorization('GET', '/v1/node/link'), upgrade: DATA_PROTOCOL, [TICKET_HEADER]: ticket }
  expect((await upgrade(url, other)).status).toBe(403)
  expect((await dial(first, ticket)).status).toBe(101)
  stream.respond({ ':status': 200, [DATA_HEADER]: 'beside' })
  ;(await client).socket?.destroy()
})
