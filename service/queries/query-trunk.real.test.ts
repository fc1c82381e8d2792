import type { ServerHttp2Stream } from 'node:http2'
import { MESSAGE_HEAD, MessageReader, messageOf } from '@postern/base/message-stream.ts'
import type { QueryView } from '@postern/protocol/api/queries.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { NODE_PATHS, QUERY_TRUNK } from '@postern/protocol/link.ts'
import { expect, test, vi } from 'vitest'
import { answerRows, type FakeNode } from '../testing/fake-node.ts'
import { LocalService } from '../testing/local-service.ts'

interface Order {
  readonly id: number
  readonly sql: string
  readonly query: string
}

/** A node's end of trunks, that answers as the test says. */
class FakeTrunk {
  readonly orders: Order[] = []
  readonly cancelled: number[] = []
  readonly streams: ServerHttp2Stream[] = []
  answer: (order: Order) => void = ({ id }) => this.whole(id, '[1]', 1)

  constructor(node: FakeNode) {
    node.duplex[NODE_PATHS.queryTrunk] = (stream) => {
      this.streams.push(stream)
      stream.respond({ ':status': 200 })
      stream.on('error', () => undefined)
      const reader = new MessageReader((kind, id, body) => this.#hear(kind, id, body.toString()))
      stream.on('data', (chunk: Buffer) => reader.take(chunk))
      stream.on('end', () => stream.end())
    }
  }

  whole(id: number, text: string, rows: number): void {
    const message = messageOf(QUERY_TRUNK.whole, id, 4 + Buffer.byteLength(text))
    message.writeUInt32BE(rows, MESSAGE_HEAD)
    message.write(text, MESSAGE_HEAD + 4)
    this.streams.at(-1)?.write(message)
  }

  refused(id: number, fault: Fault, stage: 0 | 1): void {
    const text = JSON.stringify(fault)
    const message = messageOf(QUERY_TRUNK.refused, id, 1 + Buffer.byteLength(text))
    message[MESSAGE_HEAD] = stage
    message.write(text, MESSAGE_HEAD + 1)
    this.streams.at(-1)?.write(message)
  }

  apart(id: number): void {
    this.streams.at(-1)?.write(messageOf(QUERY_TRUNK.apart, id, 0))
  }

  #hear(kind: number, id: number, text: string): void {
    if (kind === QUERY_TRUNK.cancel) this.cancelled.push(id)
    if (kind !== QUERY_TRUNK.order) return
    const order = { ...(JSON.parse(text) as { sql: string; query: string }), id }
    this.orders.push(order)
    this.answer(order)
  }
}

async function rig(nodes = 1) {
  const service = await LocalService.start()
  const [node, second] = (await service.gateway(nodes, {})) as [FakeNode, FakeNode]
  const trunk = new FakeTrunk(node)
  const ask = (body: Record<string, unknown> = {}, headers = {}) =>
    service.fetch('POST', '/v1/stores/shop/query', { sql: 'select 1', ...body }, headers)
  const view = (response: Response) => service.api<QueryView>('GET', `/v1/queries/${response.headers.get('postern-query-id')}`)
  /** The first query has a stream of its own, while the trunk is being opened. */
  const open = async () => {
    const before = trunk.orders.length
    await vi.waitFor(async () => {
      await (await ask({ sql: 'select open' })).text()
      expect(trunk.orders.length).toBeGreaterThan(before)
    })
    trunk.orders.length = 0
  }
  return { service, node, second, trunk, ask, view, open }
}

test('small queries share one stream, and are logged as any other', async () => {
  const { service, trunk, ask, view, open } = await rig()
  await using _ = service
  await open()
  trunk.answer = ({ id, sql }) => trunk.whole(id, `["${sql}"]`, 1)

  const texts = await Promise.all(Array.from({ length: 20 }, async (_, n) => (await ask({ sql: `select ${n}` })).text()))
  const response = await ask()

  expect(texts).toEqual(Array.from({ length: 20 }, (_, n) => `["select ${n}"]`))
  expect(trunk.streams).toHaveLength(1)
  expect(await view(response)).toMatchObject({ outcome: 'succeeded', rows: 1, bytes: 12, attempts: [{ node: 'a', outcome: 'answered' }] })
})

test('CSV and Arrow, and orders that are large, get a stream of their own', async () => {
  const { service, node, trunk, ask, open } = await rig()
  await using _ = service
  await open()
  node.handlers[NODE_PATHS.query] = (stream) => answerRows(stream, 'apart', 0)

  expect(await (await ask({}, { accept: 'text/csv' })).text()).toBe('apart')
  expect(await (await ask({ sql: `select '${'x'.repeat(70_000)}'` })).text()).toBe('apart')
  expect(trunk.orders).toHaveLength(0)
})

test('an answer that is set apart comes by its own stream, and so does the next of the same text', async () => {
  const { service, node, trunk, ask, open } = await rig()
  await using _ = service
  await open()
  const large = 'x'.repeat(1 << 20)
  trunk.answer = ({ id }) => trunk.apart(id)
  let asked: unknown
  node.handlers[NODE_PATHS.queryRest] = (stream, body) => {
    asked = body
    answerRows(stream, large, 5)
  }
  node.handlers[NODE_PATHS.query] = (stream) => answerRows(stream, 'again', 1)

  expect(await (await ask()).text()).toBe(large)
  expect(asked).toEqual({ query: trunk.orders[0]?.query })
  expect(await (await ask()).text()).toBe('again')
  expect(trunk.orders).toHaveLength(1)
  expect(trunk.cancelled).toEqual([])
})

test('an answer that is set apart and then not there any more is asked of the next node', async () => {
  const { service, node, second, trunk, ask, open } = await rig(2)
  await using _ = service
  await open()
  trunk.answer = ({ id }) => trunk.apart(id)
  node.handlers[NODE_PATHS.queryRest] = (stream) => stream.close(2)
  second.handlers[NODE_PATHS.query] = (stream) => answerRows(stream, '[2]', 1)

  const response = await ask()

  expect(await response.text()).toBe('[2]')
  expect(response.headers.get('postern-attempts')).toBe('2')
})

test('a refusal before the store saw the statement goes to the next node, whatever the mode; another one is the answer', async () => {
  const { service, second, trunk, ask, open } = await rig(2)
  await using _ = service
  await open()
  second.handlers[NODE_PATHS.query] = (stream) => answerRows(stream, '[2]', 1)

  trunk.answer = ({ id }) => trunk.refused(id, new Fault('STORE_UNREACHABLE', { at: 'db:5432' }), 0)
  expect(await (await ask({ mode: 'write' })).text()).toBe('[2]')
  trunk.answer = ({ id }) => trunk.refused(id, new Fault('QUERY_FAILED', { at: 'column "x" does not exist' }), 1)
  const failed = await ask()

  expect(failed.status).toBe(400)
  expect(await failed.json()).toMatchObject({ code: 'QUERY_FAILED' })
})

test('a link that breaks with queries on its trunk: reads go on elsewhere, writes do not', async () => {
  const { service, node, second, trunk, ask, open } = await rig(2)
  await using _ = service
  await open()
  second.handlers[NODE_PATHS.query] = (stream) => answerRows(stream, '[2]', 1)
  trunk.answer = () => {
    if (trunk.orders.length === 3) node.unlink()
  }

  const [read, another, write] = await Promise.all([ask(), ask(), ask({ mode: 'write' })])

  expect([await read.text(), await another.text()]).toEqual(['[2]', '[2]'])
  expect(write.status).toBe(502)
  expect(await write.json()).toMatchObject({ code: 'NODE_OFFLINE' })
})

test('a client that leaves cancels its query, and no other one of the trunk', async () => {
  const { service, trunk, ask, open } = await rig()
  await using _ = service
  await open()
  trunk.answer = () => undefined
  const gone = new AbortController()
  const headers = { ...service.headers, 'content-type': 'application/json' }
  const left = fetch(`${service.url}/v1/stores/shop/query`, { method: 'POST', headers, body: '{"sql":"select left"}', signal: gone.signal })
  left.catch(() => undefined)
  const stays = ask({ sql: 'select stays' })
  await vi.waitFor(() => expect(trunk.orders).toHaveLength(2))
  const idOf = (sql: string) => trunk.orders.find((order) => order.sql === sql)?.id ?? -1

  gone.abort()
  await vi.waitFor(() => expect(trunk.cancelled).toEqual([idOf('select left')]))
  trunk.whole(idOf('select stays'), '[1]', 1)

  expect(await (await stays).text()).toBe('[1]')
})

test('a query on a trunk that takes too long ends as TIMED_OUT, and the node is told', async () => {
  const { service, trunk, ask, open } = await rig()
  await using _ = service
  await open()
  trunk.answer = () => undefined

  const response = await ask({ timeoutMs: 100 })

  expect(await response.json()).toMatchObject({ code: 'TIMED_OUT' })
  await vi.waitFor(() => expect(trunk.cancelled).toHaveLength(1))
})

test('a trunk that the node ends is left when all is answered, and another one is opened', async () => {
  const { service, trunk, ask, open } = await rig()
  await using _ = service
  await open()
  const [first] = trunk.streams

  first?.end()
  await vi.waitFor(() => expect(first?.closed).toBe(true))
  await open()

  expect(trunk.streams).toHaveLength(2)
  expect(await (await ask()).text()).toBe('[1]')
})

test('an idle trunk does not hold up a service that stops', async () => {
  const { service, open } = await rig()
  await open()
  const began = performance.now()

  await service[Symbol.asyncDispose]()

  expect(performance.now() - began).toBeLessThan(10_000)
})
