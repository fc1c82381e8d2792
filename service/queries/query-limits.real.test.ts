import { NODE_PATHS } from '@postern/protocol/link.ts'
import { expect, test, vi } from 'vitest'
import { answerRows, type FakeNode } from '../testing/fake-node.ts'
import { LocalService } from '../testing/local-service.ts'

interface Order {
  readonly maxRows?: number
  readonly timeoutMs: number
  readonly endInStore?: boolean
}

async function rig(limits: Record<string, number> = {}) {
  const service = await LocalService.start()
  const [node] = (await service.gateway(1)) as [FakeNode]
  await service.api('PATCH', '/v1/stores/shop', { limits })
  const orders: Order[] = []
  /** As many rows as there are, or as were asked for. */
  const answering = (rows: number, bytes = rows * 8) => {
    node.handlers[NODE_PATHS.query] = (stream, body) => {
      const order = body as Order
      orders.push(order)
      answerRows(stream, 'x'.repeat(bytes), Math.min(rows, order.maxRows ?? rows))
    }
  }
  const ask = (body: Record<string, unknown> = {}, headers = {}) =>
    service.fetch('POST', '/v1/stores/shop/query', { sql: 'select 1', ...body }, headers)
  return { service, node, orders, answering, ask }
}

test("a store's row limit cuts what has more, and the answer says whose limit it was", async () => {
  const { service, orders, answering, ask } = await rig({ maxRows: 10 })
  await using _ = service

  answering(10)
  expect((await ask()).status).toBe(200)
  answering(11)
  const refused = await ask()

  expect(orders.map(({ maxRows }) => maxRows)).toEqual([11, 11])
  expect([refused.status, await refused.json()]).toEqual([
    400,
    expect.objectContaining({ code: 'QUERY_TOO_MANY_ROWS', detail: expect.stringContaining('maxRows 10 of store shop') }),
  ])
})

test('an answer that has begun is cut at the row limit, never ended as if whole', async () => {
  const { service, answering, ask } = await rig({ maxRows: 10 })
  await using _ = service
  answering(11, 300_000)

  const response = await ask()

  expect(response.status).toBe(200)
  await expect(response.text()).rejects.toThrow()
})

test('who asks for no more rows than the limit simply gets so many', async () => {
  const { service, orders, answering, ask } = await rig({ maxRows: 10 })
  await using _ = service
  answering(1_000)

  const response = await ask({ maxRows: 10 })

  expect([response.status, orders[0]?.maxRows]).toEqual([200, 10])
  expect((await ask({ maxRows: 11 })).status).toBe(400)
})

test('an answer with more bytes than the limit is refused, or cut where it has begun; the node is told to stop', async () => {
  const { service, node, answering, ask } = await rig({ maxBytes: 100_000 })
  await using _ = service
  answering(1, 100_000)
  expect((await (await ask()).text()).length).toBe(100_000)

  answering(1, 100_001)
  const answer = await ask().then(
    async (response) =>
      response.status === 200 ? await response.text().catch(() => 'cut') : ((await response.json()) as { code: string }).code,
    () => 'cut',
  )
  expect(['cut', 'QUERY_TOO_LARGE']).toContain(answer)

  const stopped = new Promise<number>((resolve) => {
    node.handlers[NODE_PATHS.query] = (stream) => {
      stream.respond({ ':status': 200 })
      stream.on('close', () => resolve(stream.rstCode))
      stream.write(Buffer.alloc(200_000))
    }
  })
  await ask()
    .then((response) => response.text())
    .catch(() => undefined)
  expect(await stopped).toBe(8)
  const [last] = (await service.api<{ items: { outcome: string; fault: string }[] }>('GET', '/v1/queries?limit=1')).items
  expect(last).toMatchObject({ outcome: 'failed', fault: expect.stringContaining('maxBytes 100000 of store shop') })
})

test('a time-out names the limit, and only a chosen one is told to the database', async () => {
  const { service, node, orders, answering, ask } = await rig({ timeoutMs: 200 })
  await using _ = service
  answering(1)
  await ask()
  await service.api('PATCH', '/v1/stores/shop', { limits: { timeoutMs: null } })
  await ask()
  expect(orders).toMatchObject([
    { timeoutMs: expect.any(Number), endInStore: true },
    { timeoutMs: expect.any(Number), endInStore: false },
  ])
  expect(orders[0]?.timeoutMs).toBeLessThanOrEqual(200)
  expect(await service.api('GET', '/v1/stores/shop')).toMatchObject({ limits: {}, version: 1 })

  await service.api('PATCH', '/v1/stores/shop', { limits: { timeoutMs: 200 } })
  node.handlers[NODE_PATHS.query] = () => undefined
  expect(await (await ask()).json()).toMatchObject({ code: 'TIMED_OUT', detail: expect.stringContaining('timeoutMs 200 of store shop') })
  expect(await (await ask({ timeoutMs: 100 })).json()).toMatchObject({ detail: expect.stringContaining('timeoutMs 100 of the request') })
})

test("a token's limits hold for its caller only, and the stricter of store and token wins", async () => {
  const { service, answering, ask } = await rig({ maxRows: 100 })
  await using _ = service
  const { token } = await service.api<{ token: string }>('POST', '/v1/tokens', { name: 'ann', role: 'user', limits: { maxRows: 5 } })
  const ann = { authorization: `Bearer ${token}` }
  answering(6)

  expect((await ask()).status).toBe(200)
  expect(await (await ask({}, ann)).json()).toMatchObject({ detail: expect.stringContaining('maxRows 5 of token ann') })
})

test('more queries at a time than a store or a token may run are refused at once, counted and logged', async () => {
  const { service, node, answering, ask } = await rig({ concurrency: 2 })
  await using _ = service
  const { token } = await service.api<{ token: string }>('POST', '/v1/tokens', { name: 'ann', role: 'user', limits: { concurrency: 1 } })
  const ann = { authorization: `Bearer ${token}` }
  const open: Parameters<typeof answerRows>[0][] = []
  node.handlers[NODE_PATHS.query] = (stream) => open.push(stream)
  const first = ask({}, ann)
  await vi.waitUntil(() => open.length === 1)

  const ofToken = await ask({}, ann)
  const second = ask()
  await vi.waitUntil(() => open.length === 2)
  const ofStore = await ask()

  expect([ofToken.status, ofToken.headers.get('retry-after'), await ofToken.json()]).toEqual([
    429,
    '1',
    expect.objectContaining({ code: 'TOO_MANY_QUERIES', detail: expect.stringContaining('concurrency 1 of token ann') }),
  ])
  expect(await ofStore.json()).toMatchObject({ detail: expect.stringContaining('concurrency 2 of store shop') })
  for (const stream of open) answerRows(stream, '[1]', 1)
  expect([(await first).status, (await second).status]).toEqual([200, 200])
  answering(1)
  expect((await ask({}, ann)).status).toBe(200)
  const failed = await service.api<{ items: unknown[] }>('GET', '/v1/queries?outcome=failed')
  expect(failed.items).toHaveLength(2)
})
