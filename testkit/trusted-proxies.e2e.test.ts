/** Behind a reverse proxy that is trusted everything that is counted or written down by address goes by the client's: requests and upgrades. */
import { type IncomingMessage, request } from 'node:http'
import type { AuditView } from '@postern/protocol/api/audit.ts'
import { CONNECT_PROTOCOL } from '@postern/protocol/link.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ForwardingProxy } from './forwarding-proxy.ts'
import { TestNode } from './node.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { TestService } from './service.ts'
import { waitFor } from './wait-for.ts'

/** More than a minute has room for, of one address. */
const WRONG_TOKENS = 205
const WRONG_KEYS = 21
const stack = new AsyncDisposableStack()
let service: TestService
let proxy: ForwardingProxy
let database: TestDatabase

beforeAll(async () => {
  database = stack.use(await testDatabase())
  service = stack.use(await TestService.start({ args: ['--trusted-proxies', '127.0.0.1'] }))
  proxy = stack.use(await ForwardingProxy.to(service.url))
  const { key1 } = await service.client.gateways.create({ name: 'demo' })
  stack.use(await TestNode.start({ name: 'n1', url: proxy.url, key: key1 }))
  await waitFor(
    'the node is online by way of the proxy',
    () => service.client.nodes.list('demo'),
    ([node]) => node?.status === 'online',
    { timeoutMs: 30_000 },
  )
  const { host, port, name, user } = database
  await service.client.stores.create({ name: 'shop', gateway: 'demo', kind: 'postgres', settings: { host, port, database: name, user } })
}, 120_000)

afterAll(() => stack.disposeAsync())

interface Asked {
  /** Of the client's own; all of 127.0.0.0/8 is this machine. */
  readonly from: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly to?: string
}

/** The status, of a request or an upgrade. */
function ask({ from, path, headers = {}, body, to = proxy.url }: Asked): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const method = body === undefined ? 'GET' : 'POST'
  const asked = request(to + path, {
    localAddress: from,
    method,
    agent: false,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
  })
  const answered = (response: IncomingMessage) => {
    resolve(response.statusCode ?? 0)
    response.socket.destroy()
  }
  asked.once('response', answered).once('upgrade', answered).once('error', reject)
  asked.end(body === undefined ? undefined : JSON.stringify(body))
  return promise
}

const connect = (token: string, more: Pick<Asked, 'from' | 'to'>) =>
  ask({
    ...more,
    path: '/v1/stores/shop/connect',
    headers: { authorization: `Bearer ${token}`, connection: 'Upgrade', upgrade: CONNECT_PROTOCOL },
  })
const join = (from: string) =>
  ask({ from, path: '/v1/node/join', body: { protocol: 1, key: 'wrong', name: 'n2', version: '0.1.0', identity: 'x', csr: 'x' } })
const audit = async (query: string) =>
  (await (
    await fetch(`${service.url}/v1/audit?limit=1000&${query}`, { headers: { authorization: `Bearer ${service.token}` } })
  ).json()) as {
    items: AuditView[]
  }

test('wrong tokens at an upgrade are counted by the client, and the audit names it', async () => {
  const tries = await Promise.all(Array.from({ length: WRONG_TOKENS }, (_, n) => connect(`ptn_wrong${n}`, { from: '127.0.0.2' })))

  expect(new Set(tries)).toEqual(new Set([401, 429]))
  expect(await connect('ptn_wrong', { from: '127.0.0.2' })).toBe(429)
  expect(await connect('ptn_wrong', { from: '127.0.0.3' })).toBe(401)
  // Requests and upgrades are counted together.
  expect(await ask({ from: '127.0.0.2', path: '/v1/stores', headers: { authorization: 'Bearer ptn_wrong' } })).toBe(429)
  const refused = await waitFor(
    'the records',
    async () => (await audit('action=session.open&outcome=refused')).items,
    (items) => items.some(({ ip }) => ip === '127.0.0.3'),
  )
  expect(new Set(refused.map(({ ip }) => ip))).toEqual(new Set(['127.0.0.2', '127.0.0.3']))
}, 60_000)

test('an open connection, and what its end leaves, have the address of the client', async () => {
  const { promise, resolve } = Promise.withResolvers<IncomingMessage>()
  const headers = { authorization: `Bearer ${service.token}`, connection: 'Upgrade', upgrade: CONNECT_PROTOCOL }
  const asked = request(`${proxy.url}/v1/stores/shop/connect`, { localAddress: '127.0.0.4', agent: false, headers })
  asked.once('upgrade', resolve).once('error', () => undefined)
  asked.end()
  const { socket } = await promise

  const open = await waitFor(
    'it is open',
    () => service.client.sessions.list(),
    (sessions) => sessions.length === 1,
  )
  socket.destroy()
  const closed = await waitFor(
    'its end is written down',
    async () => (await audit('action=session.close')).items,
    (items) => items.length === 1,
  )

  expect([open[0]?.address, closed[0]?.ip]).toEqual(['127.0.0.4', '127.0.0.4'])
})

test('a client that names another address itself is not believed, and neither is who is no proxy', async () => {
  const wrong = await Promise.all(Array.from({ length: WRONG_TOKENS }, (_, n) => connect(`ptn_more${n}`, { from: '127.0.0.5' })))
  const forged = { authorization: 'Bearer ptn_wrong', 'x-forwarded-for': '10.9.9.9' }

  expect(wrong).toContain(429)
  expect(await ask({ from: '127.0.0.5', path: '/v1/stores', headers: forged })).toBe(429)
  // Straight to the service, from an address that is no trusted proxy's.
  await Promise.all(Array.from({ length: WRONG_TOKENS }, (_, n) => connect(`ptn_straight${n}`, { from: '127.0.0.6', to: service.url })))
  const straight = await ask({ from: '127.0.0.6', to: service.url, path: '/v1/stores', headers: forged })
  expect(straight).toBe(429)
})

test('wrong authentication keys are counted by the client, and joins stand in the audit with its address', async () => {
  const wrong: number[] = []
  for (let n = 0; n < WRONG_KEYS; n += 1) wrong.push(await join('127.0.0.7'))

  expect([wrong[0], wrong.at(-1)]).toEqual([403, 429])
  expect(await join('127.0.0.8')).toBe(403)
  expect((await audit('action=node.join')).items.map(({ ip }) => ip)).toEqual(['127.0.0.1'])
})
