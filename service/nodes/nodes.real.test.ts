import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { silentLog } from '@postern/base/log.ts'
import type { GatewayCreated, GatewayView, NodeView } from '@postern/protocol/api/gateways.ts'
import type { ListOf } from '@postern/protocol/api/lists.ts'
import type { GatewayHistory, NodeHistory } from '@postern/protocol/api/node-history.ts'
import { SERVICE_PATHS } from '@postern/protocol/link.ts'
import { testFolder } from '@postern/testkit/folder.ts'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startService } from '../service.ts'
import { BareNode } from '../testing/bare-node.ts'
import { makeCsr } from '../testing/csr.ts'
import { LocalService } from '../testing/local-service.ts'
import { send } from '../testing/send.ts'

let service: LocalService
let made = 0

const call = <T>(method: string, path: string, body?: unknown) => service.call<T>(method, path, body)

/** A fresh gateway, and how to make nodes for it. */
async function gateway() {
  made += 1
  const name = `gateway-${made}`
  const { body } = await call<GatewayCreated & { key1: string; key2: string }>('POST', '/v1/gateways', { name })
  const at = (node: string, rest = '') => `/v1/gateways/${name}/nodes/${node}${rest}`
  const join = async (node: string) => {
    const fake = new BareNode(service.url, node)
    expect((await fake.join(body.key1)).status).toBe(200)
    return fake
  }
  return { name, key: body.key1, key2: body.key2, at, join }
}

beforeAll(async () => {
  service = await LocalService.start()
})

afterAll(() => service?.[Symbol.asyncDispose]())

test('a node joins with either key, and gets a certificate in its own name', async () => {
  const { name, key2 } = await gateway()
  const node = new BareNode(service.url, 'one')

  const { status, body } = await node.join(key2)

  expect(status).toBe(200)
  expect(body).toMatchObject({ name: 'one', gateway: name })
  const leaf = new X509Certificate(body.certificate)
  const authority = new X509Certificate(body.authority)
  expect(leaf.subjectAltName).toBe(`URI:postern://${body.gatewayId}/${body.nodeId}, DNS:${body.nodeId}.postern`)
  expect(leaf.verify(authority.publicKey)).toBe(true)
  expect(leaf.ca).toBe(false)
  expect(authority.ca).toBe(true)
  const hours = (Date.parse(leaf.validTo) - Date.now()) / 3_600_000
  expect(hours).toBeGreaterThan(23.9)
  expect(hours).toBeLessThan(24.1)
})

test('a wrong key opens nothing, nor does one that was replaced', async () => {
  const { key, name } = await gateway()
  const node = new BareNode(service.url, 'one')

  expect((await node.join(`${key}x`)).body.code).toBe('KEY_INVALID')
  await call('POST', `/v1/gateways/${name}/keys/1`)
  expect((await node.join(key)).body.code).toBe('KEY_INVALID')
})

test('the same identity replaces its ghost; another one only when nobody is there', async () => {
  const { key, join } = await gateway()
  const first = await join('one')
  await first.beat()
  const id = first.id

  expect((await first.join(key)).body.nodeId).toBe(id)
  await first.beat()
  const other = new BareNode(service.url, 'one')
  expect((await other.join(key)).body.code).toBe('NODE_NAME_TAKEN')
  await first.call('POST', SERVICE_PATHS.goodbye)
  expect((await other.join(key)).body.nodeId).toBe(id)
  expect((await first.beat()).body.code).toBe('NODE_PROOF_INVALID')
  expect((await other.beat()).status).toBe(200)
})

test.each([
  ['of another request', { claims: { htu: '/v1/node/goodbye' } }],
  ['of another method', { claims: { htm: 'GET' } }],
  ['of another body', { claims: { bh: 'x' } }],
  ['that is too old', { claims: { iat: Math.floor(Date.now() / 1_000) - 3_600 } }],
  ['from the future', { claims: { iat: Math.floor(Date.now() / 1_000) + 3_600 } }],
  ['of nobody', { claims: { iss: 'nobody' } }],
] as const)('a signature %s is refused', async (_what, forge) => {
  const { join } = await gateway()
  const node = await join('one')

  const { status, body } = await node.call('POST', SERVICE_PATHS.beat, {}, forge)

  expect([status, body.code]).toEqual([403, 'NODE_PROOF_INVALID'])
})

test("a node cannot speak with another one's key", async () => {
  const { join } = await gateway()
  const [one, two] = [await join('one'), await join('two')]
  two.id = one.id

  expect((await two.beat()).body.code).toBe('NODE_PROOF_INVALID')
})

test('a beat is answered with settings, limits and peers, and shown to people', async () => {
  const { name, at, join } = await gateway()
  const [one, two] = [await join('one'), await join('two')]
  await two.beat({ hasGatewayKey: false })
  await call('PATCH', `/v1/gateways/${name}`, { settings: { queryConcurrency: 7 } })
  await call('PATCH', at('one'), { settings: { jobConcurrency: 3 } })

  const { body } = await one.beat({ runningQueries: 2 })
  const { body: view } = await call<NodeView>('GET', at('one'))

  expect(body).toMatchObject({ name: 'one', queryLimit: 7, jobLimit: 3, stop: [], keepSnapshots: [], gatewayPublicKey: null })
  expect(body.settings).toMatchObject({ queryConcurrency: 7, jobConcurrency: 3, policy: 'primary-first' })
  expect(body.peers).toMatchObject([{ name: 'two', online: true, acceptsWork: true, hasGatewayKey: false }])
  expect(view).toMatchObject({
    status: 'limited',
    isPrimary: true,
    runningQueries: 2,
    jobLimitReason: 'set for this node to 3',
    settings: { jobConcurrency: 3 },
  })
  expect(view.statusReasons).toEqual(['no link to the service: live queries cannot reach it'])
})

test('of two nodes one dispatches; when it goes the other does, with a higher epoch', async () => {
  const { at, join } = await gateway()
  const [one, two] = [await join('one'), await join('two')]

  const first = (await one.beat()).body.dispatcher
  const second = (await two.beat()).body.dispatcher
  const renewed = (await one.beat()).body.dispatcher

  expect(first).toMatchObject({ node: one.id, mine: true, epoch: 1 })
  expect(second).toMatchObject({ node: one.id, mine: false, epoch: 1 })
  expect(renewed).toMatchObject({ mine: true, epoch: 1 })
  await one.call('POST', SERVICE_PATHS.goodbye)
  expect((await two.beat()).body.dispatcher).toMatchObject({ node: two.id, mine: true, epoch: 2 })
  expect((await call<NodeView>('GET', at('two'))).body.role).toBe('dispatcher')
  expect((await call<NodeView>('GET', at('one'))).body).toMatchObject({ role: 'worker', status: 'offline' })
})

test('a lease that ran out is taken with a new epoch, also by the same node', async () => {
  const { join } = await gateway()
  const one = await join('one')
  await one.beat()
  await service.database.query(`update dispatcher_lease set until = now() - interval '1 second' where node_id = '${one.id}'`)

  // One that was renewed within the second is not asked for again.
  await vi.waitFor(async () => expect((await one.beat()).body.dispatcher).toMatchObject({ mine: true, epoch: 2 }), { timeout: 3_000 })
})

test('many that beat at once never make two dispatchers', async () => {
  const { join } = await gateway()
  const nodes = await Promise.all(['a', 'b', 'c', 'd'].map(join))

  const rounds = await Promise.all([1, 2, 3].flatMap(() => nodes.map((node) => node.beat())))

  const holders = new Map<number, Set<string>>()
  for (const { body } of rounds)
    if (body.dispatcher.mine)
      holders.set(body.dispatcher.epoch, (holders.get(body.dispatcher.epoch) ?? new Set()).add(body.dispatcher.node ?? ''))
  for (const [epoch, held] of holders) expect([epoch, held.size]).toEqual([epoch, 1])
})

test('of several keys offered for a gateway the first is taken', async () => {
  const { name, join } = await gateway()
  const nodes = await Promise.all(['a', 'b', 'c'].map(join))
  const keyOf = (index: number) => Buffer.alloc(32, index + 1).toString('base64url')

  const answers = await Promise.all(
    nodes.map((node, index) =>
      node.call<{ accepted: boolean; publicKey: string }>('POST', SERVICE_PATHS.gatewayKey, { publicKey: keyOf(index) }),
    ),
  )

  expect(answers.filter(({ body }) => body.accepted)).toHaveLength(1)
  expect(new Set(answers.map(({ body }) => body.publicKey)).size).toBe(1)
  const { body } = await call<GatewayView>('GET', `/v1/gateways/${name}`)
  expect(body.publicKey).toBe(answers[0]?.body.publicKey)
  expect(body.fingerprint).toMatch(/^([0-9a-f]{4} ){15}[0-9a-f]{4}$/)
})

test('a certificate is renewed in the name of who asks, whatever the request says', async () => {
  const { join } = await gateway()
  const node = await join('one')

  const { body } = await node.call<{ certificate: string }>('POST', SERVICE_PATHS.certificate, { csr: await makeCsr('somebody-else') })
  const bad = await node.call('POST', SERVICE_PATHS.certificate, { csr: 'nonsense' })

  expect(new X509Certificate(body.certificate).subjectAltName).toContain(node.id)
  expect([bad.status, bad.body.code]).toEqual([400, 'INPUT_INVALID'])
})

test('a node is drained, switched off and on, renamed and deleted', async () => {
  const { at, join } = await gateway()
  const node = await join('one')
  await node.beat()
  const status = async (action: string) => (await call<NodeView>('POST', at('one', `/${action}`))).body.status

  expect(await status('drain')).toBe('draining')
  expect((await node.beat()).body.dispatcher.mine).toBe(false)
  expect(await status('enable')).toBe('limited')
  expect(await status('disable')).toBe('disabled')
  expect(await status('enable')).toBe('limited')
  expect((await call<NodeView>('PATCH', at('one'), { name: 'uno' })).body.name).toBe('uno')
  expect((await node.beat()).body.name).toBe('uno')
  expect((await call('DELETE', at('uno'))).status).toBe(204)
  expect((await node.beat()).body.code).toBe('NODE_DELETED')
})

test('a store is told to nodes of its own gateway only', async () => {
  const [mine, theirs] = [await gateway(), await gateway()]
  const [node, stranger] = [await mine.join('one'), await theirs.join('one')]
  const made = await call<{ id: string }>('POST', '/v1/stores', {
    name: `of-${mine.name}`,
    gateway: mine.name,
    kind: 'files',
    settings: { path: '/srv' },
  })

  const path = `/v1/node/stores/${made.body.id}`

  expect((await node.call('GET', path)).body).toMatchObject({ kind: 'files', settings: { path: '/srv' }, sealed: null, version: 1 })
  expect((await stranger.call('GET', path)).body.code).toBe('STORE_UNKNOWN')
})

test('what nodes said is known again after a restart of the service', async () => {
  const { name, at, join: joinNode } = await gateway()
  const node = await joinNode('one')
  await node.beat()
  await vi.waitUntil(
    async () => (await service.database.query(`select 1 from node where id = '${node.id}' and beat is not null`)).length === 1,
  )
  await using data = await testFolder()

  await using second = await startService({ data: join(data.path, 'data'), port: 0, databaseUrl: service.database.url, log: silentLog })

  expect((await send<NodeView>(second.url + at('one'), 'GET', undefined, service.headers)).body).toMatchObject({
    gateway: name,
    status: 'limited',
    role: 'dispatcher',
  })
})

test('a node that has been away for longer than nodeExpirySeconds is deleted', { timeout: 60_000 }, async () => {
  const { name, at, join: joinNode } = await gateway()
  const [gone, stays] = [await joinNode('gone'), await joinNode('stays')]
  await gone.beat()
  await stays.beat()
  await call('PATCH', `/v1/gateways/${name}`, { settings: { nodeExpirySeconds: 60 } })
  // Of the others it waits for longer: it has just been started.
  await call('PATCH', at('gone'), { settings: { nodeExpirySeconds: 5 } })
  await gone.call('POST', SERVICE_PATHS.goodbye)
  await stays.call('POST', SERVICE_PATHS.goodbye)
  await service.database.query(`update node set beat_at = now() - interval '61 seconds' where id = '${gone.id}'`)

  await expect
    .poll(async () => (await gone.call<object>('GET', '/v1/node/stores/sto_00000000000000000000')).body.code, {
      timeout: 50_000,
      interval: 500,
    })
    .toBe('NODE_DELETED')

  expect((await call<GatewayView>('GET', `/v1/gateways/${name}`)).body.nodes.map((node) => node.name)).toEqual(['stays'])
})

test('what a node says is kept as a history, and who is unknown has none', async () => {
  const { name, at, join } = await gateway()
  const node = await join('one')
  await vi.waitFor(
    async () => {
      await node.beat({ cpuPercent: 42 })
      const { body } = await call<NodeHistory>('GET', at('one', '/history'))
      expect(body.cpuPercent.at(-1)).toBe(42)
      expect(body.at).toHaveLength(body.cpuPercent.length)
    },
    { timeout: 20_000, interval: 500 },
  )
  expect((await call('GET', at('two', '/history'))).body).toMatchObject({ code: 'NODE_UNKNOWN' })

  const { body } = await call<ListOf<GatewayHistory>>('GET', `/v1/histories?gateway=${name}`)
  expect(body.items.map((one) => [one.gateway, one.everyMs, one.nodes.map(({ cpuPercent }) => cpuPercent.at(-1))])).toEqual([
    [name, 5_000, [42]],
  ])
  expect((await call<ListOf<GatewayHistory>>('GET', '/v1/histories')).body.items.length).toBeGreaterThan(1)
  expect((await call<ListOf<GatewayHistory>>('GET', '/v1/histories?gateway=nowhere')).body.items).toEqual([])
})
