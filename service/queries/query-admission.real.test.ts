import type { ServerHttp2Stream } from 'node:http2'
import type { GatewayView, NodeView } from '@postern/protocol/api/gateways.ts'
import { NODE_PATHS } from '@postern/protocol/link.ts'
import { expect, test, vi } from 'vitest'
import { answerRows } from '../testing/fake-node.ts'
import { queryRig } from '../testing/query-rig.ts'

async function rig(nodes = 1, settings = {}) {
  const queries = await queryRig(nodes, settings)
  const { service } = queries
  const ask = (store = 'shop') => service.fetch('POST', `/v1/stores/${store}/query`, { sql: 'select 1' })
  const set = (change: object) => service.api<GatewayView>('PATCH', '/v1/gateways/demo', { settings: change })
  const setNode = (name: string, change: object) => service.api<NodeView>('PATCH', `/v1/gateways/demo/nodes/${name}`, { settings: change })
  return { ...queries, ask, set, setNode }
}

const text = (limit: string) =>
  `The gateway you selected can't establish data source connections because it's exceeded the ${limit} limit set by your gateway admin. Try again later, or ask your gateway admin to increase the limit.`

test.each([
  ['CPU', { cpuPercent: 80 }, 'GATEWAY_AT_CPU_LIMIT'],
  ['memory', { memoryPercent: 60 }, 'GATEWAY_AT_MEMORY_LIMIT'],
  ['concurrency', { queryConcurrency: 1 }, 'GATEWAY_AT_LIMIT'],
] as const)('at the %s limit the answer has the words of the gateway, and says when to come again', async (limit, settings, code) => {
  const { service, node, ask } = await rig(1, { ...settings, queueTimeoutMs: 100 })
  await using _ = service
  node.averages = { cpuPercent: 90, memoryPercent: 70, overSeconds: 300 }
  await node.beat()
  const streams: ServerHttp2Stream[] = []
  if (limit === 'concurrency') {
    node.handlers[NODE_PATHS.query] = (stream) => streams.push(stream)
    void ask().catch(() => undefined)
    await vi.waitUntil(() => streams.length === 1)
  }

  const response = await ask()

  expect([response.status, response.headers.get('retry-after')]).toEqual([429, '1'])
  expect(await response.json()).toMatchObject({ code, detail: text(limit) })
  for (const stream of streams) answerRows(stream, '[]', 0)
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

test('a limit holds as soon as it is changed: for the gateway, for one node, and taken back', async () => {
  const { service, node, ask, set, setNode, view } = await rig(2, { queueTimeoutMs: 0 })
  await using _ = service
  node.averages = { cpuPercent: 50, memoryPercent: 10, overSeconds: 20 }
  await node.beat()

  await set({ cpuPercent: 40 })
  const byOther = await ask()
  expect(byOther.headers.get('postern-node')).toBe('b')
  expect((await view(byOther)).candidates).toContainEqual({
    node: 'a',
    taken: false,
    reason: 'is at its CPU limit of 40 %: 50 %, averaged over 20 s',
  })

  const raised = await setNode('a', { cpuPercent: 60, aggregationMinutes: 2 })
  expect(raised).toMatchObject({
    cpuLimitPercent: 60,
    cpuLimitReason: 'set for this node to 60 %, of the average over 2 min',
    memoryLimitPercent: 0,
    memoryLimitReason: 'off by default',
    averages: { cpuPercent: 50, memoryPercent: 10, overSeconds: 20 },
  })
  expect((await ask()).headers.get('postern-node')).toBe('a')

  expect(await setNode('a', { cpuPercent: null })).toMatchObject({
    settings: { aggregationMinutes: 2 },
    cpuLimitReason: 'set for the gateway to 40 %, of the average over 2 min',
  })
  expect((await ask()).headers.get('postern-node')).toBe('b')

  expect((await set({ cpuPercent: null })).settings.cpuPercent).toBe(0)
  expect((await ask()).headers.get('postern-node')).toBe('a')
})

test('a query that waits is served when its limit is raised, and when the average sinks', async () => {
  const { service, node, ask, set, view } = await rig(1, { cpuPercent: 40, queueTimeoutMs: 20_000 })
  await using _ = service
  const load = async (cpuPercent: number) => {
    node.averages = { cpuPercent, memoryPercent: 10, overSeconds: 20 }
    await node.beat()
  }
  await load(50)

  const first = ask()
  setTimeout(() => void set({ cpuPercent: 80 }), 50)
  expect((await first).status).toBe(200)
  expect((await view(await first)).queuedMs).toBeGreaterThan(20)

  await load(90)
  const second = ask()
  setTimeout(() => void load(10), 50)
  expect((await second).status).toBe(200)
})

test('only nodes with the labels of a store answer for it', async () => {
  const { service, ask, setNode, view } = await rig(2)
  await using _ = service
  const shop = { gateway: 'demo', kind: 'postgres', settings: { host: 'db', database: 'x', user: 'u' } }
  await service.api('POST', '/v1/stores', { ...shop, name: 'berlin', nodeLabels: { site: 'berlin' } })

  expect(await (await ask('berlin')).json()).toMatchObject({
    code: 'NO_NODE_AVAILABLE',
    detail: expect.stringContaining('a lacks the label site=berlin that the store requires'),
  })
  expect(await setNode('b', { labels: { site: 'berlin', disk: 'ssd' }, weight: 7 })).toMatchObject({
    labels: { site: 'berlin' },
    weight: 7,
  })
  const answered = await ask('berlin')
  expect(answered.headers.get('postern-node')).toBe('b')
  expect((await view(answered)).candidates[0]).toEqual({ node: 'b', taken: true, reason: 'the only one that can' })

  await service.api('PATCH', '/v1/stores/berlin', { nodeLabels: {} })
  expect((await ask('berlin')).headers.get('postern-node')).toBe('a')
})

test.each([
  [{ weight: 0 }, 'INPUT_INVALID', /weight/],
  [{ weight: 101 }, 'INPUT_INVALID', /weight/],
  [{ labels: { 'no good': 'x' } }, 'INPUT_INVALID', /labels/],
  [{ wieght: 1 }, 'SETTING_UNKNOWN', /"wieght" is none of .*weight, labels/],
])('a setting of a node that cannot be is refused: %j', async (settings, code, detail) => {
  const { service } = await rig(1)
  await using _ = service

  const response = await service.fetch('PATCH', '/v1/gateways/demo/nodes/a', { settings })

  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ code, detail: expect.stringMatching(detail) })
})
