/** Each status of nodes and gateways, brought about on real processes, with its reason; docs/nodes.md is written from the same list. */
import { mkdir, rename, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { seal } from '@postern/client/seal.ts'
import { audienceOf } from '@postern/connectors/contract.ts'
import { postgres } from '@postern/connectors/postgres/index.ts'
import { LocalNode } from '@postern/node/testing/local-node.ts'
import { NoUpgradeProxy } from '@postern/node/testing/middleboxes.ts'
import type { GatewayView, NodeView } from '@postern/protocol/api/gateways.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { postern } from './cli.ts'
import { FlakyLink } from './flaky-link.ts'
import { freePort } from './free-port.ts'
import { TestNode } from './node.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { TestService } from './service.ts'
import { waitFor } from './wait-for.ts'

const GATEWAY = 'demo'
const NAMES = ['a', 'b', 'c'] as const
let service: TestService
let key: string
let database: TestDatabase
/** Between c and the service. */
let network: FlakyLink
/** In front of each node's channel. */
const channels = new Map<string, FlakyLink>()
const nodes = new Map<string, TestNode>()

const gateway = () => service.client.gateways.get(GATEWAY)
const node = (name: string) => service.client.nodes.get(GATEWAY, name)
const running = (name: string) => nodes.get(name) as TestNode
const channel = (name: string) => channels.get(name) as FlakyLink
const cli = (...args: string[]) => postern(args, { env: service.env })

function becomes(name: string, status: NodeView['status'], reason?: RegExp): Promise<NodeView> {
  const fits = (view: NodeView) => view.status === status && (!reason || reason.test(view.statusReasons.join('; ')))
  return waitFor(`${name} is ${status} (${reason ?? 'whatever the reason'})`, () => node(name), fits, { timeoutMs: 20_000 })
}

function gatewayBecomes(status: GatewayView['status']): Promise<GatewayView> {
  return waitFor(`the gateway is ${status}`, gateway, (view) => view.status === status, { timeoutMs: 20_000 })
}

async function allWell(): Promise<void> {
  for (const name of NAMES) await becomes(name, 'online')
  expect((await gatewayBecomes('online')).statusReasons).toEqual([])
}

beforeAll(async () => {
  service = await TestService.start()
  database = await testDatabase()
  key = (await service.client.gateways.create({ name: GATEWAY })).key1
  network = await FlakyLink.to(service)
})

afterAll(async () => {
  await Promise.all([...nodes.values()].map((one) => one[Symbol.asyncDispose]()))
  await Promise.all([...channels.values(), network].map((one) => one?.[Symbol.asyncDispose]()))
  await service?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
})

test('a gateway that no node has joined needs registration', async () => {
  expect(await gateway()).toMatchObject({ status: 'needs-registration', statusReasons: [expect.stringContaining('postern node join')] })
})

test('nodes that work are online, and so is their gateway', async () => {
  await Promise.all(
    NAMES.map(async (name) => {
      const port = await freePort()
      const front = await FlakyLink.to({ port })
      channels.set(name, front)
      const args = ['--channel-port', `${port}`, '--channel-host', `127.0.0.1:${front.port}`]
      const url = name === 'c' ? `http://127.0.0.1:${network.port}` : service.url
      nodes.set(name, await TestNode.start({ name, url, key, args }))
    }),
  )

  await allWell()
})

test('a node whose channel port is blocked is limited: the others do not reach it', async () => {
  channel('b').cut()

  await becomes('b', 'limited', /node a does not reach it: .*; node c does not reach it/)
  await becomes('a', 'limited', /it does not reach node b/)
  expect((await gatewayBecomes('limited')).statusReasons.join()).toMatch(/b is limited: node a does not reach it/)
  channel('b').heal()
  await allWell()
})

test('nodes that reach none of the others, nor are reached, are inactive', async () => {
  for (const front of channels.values()) front.cut()

  for (const name of NAMES) await becomes(name, 'inactive', /it and the other 2 nodes do not reach each other/)
  await gatewayBecomes('limited')
  for (const front of channels.values()) front.heal()
  await allWell()
})

test('a node that is cut off is offline', async () => {
  network.cut()

  await becomes('c', 'offline', /silent for some seconds/)
  expect((await gatewayBecomes('limited')).statusReasons).toEqual([expect.stringMatching(/^c is offline: silent/)])
  network.heal()
  await allWell()
})

test('a node whose calls pass but not its link is limited', async () => {
  await using proxy = await NoUpgradeProxy.to(service.url)
  await using linkless = await LocalNode.start({ url: proxy.url, key, name: 'linkless' })

  await becomes('linkless', 'limited', /no link to the service/)
  proxy.closed = false
  await becomes('linkless', 'online')

  await linkless.stop()
  await becomes('linkless', 'offline', /said goodbye/)
  await service.client.nodes.delete(GATEWAY, 'linkless')
})

test('a node of another version than most is limited', async () => {
  await using old = await LocalNode.start({ url: service.url, key, name: 'old', version: '0.0.9' })

  await becomes('old', 'limited', /runs version 0\.0\.9, the gateway is at /)
  expect((await gateway()).version).not.toBe('0.0.9')
  expect((await node('a')).status).toBe('online')

  await old.stop()
  await service.client.nodes.delete(GATEWAY, 'old')
})

test('a node that cannot get the key of its gateway is limited until it has it', async () => {
  for (const front of channels.values()) front.cut()
  await using late = await LocalNode.start({ url: service.url, key, name: 'late' })

  const waiting = await waitFor(
    'late waits for the key',
    () => node('late'),
    (view) => view.credentialStatus !== 'unknown',
  )
  expect(waiting.credentialStatus).toBe('missing')
  for (const front of channels.values()) front.heal()
  const there = await becomes('late', 'online')
  expect(there.credentialStatus).toBe('in-sync')

  await late.stop()
  await service.client.nodes.delete(GATEWAY, 'late')
  await allWell()
})

test('a node that cannot open a credential of today is limited, and finds out by itself when it can', async () => {
  const { host, port, name, user, password } = database
  const settings = { host, port, database: name, user }
  await service.client.stores.create({
    name: 'shop',
    gateway: GATEWAY,
    kind: 'postgres',
    settings,
    sealed: 'no.thing',
    secrets: ['password'],
  })
  await service.client.query('shop', { sql: 'select 1' }).catch(() => undefined)

  const behind = (view: GatewayView) =>
    view.nodes.some((one) => one.status === 'limited' && /credentials are behind/.test(one.statusReasons.join()))
  const view = await waitFor('a node is behind', gateway, behind)
  expect(view.status).toBe('limited')
  expect(view.nodes.map((one) => one.credentialStatus)).toContain('behind by 1')
  const context = { gatewayId: view.id, kind: 'postgres', audience: audienceOf(postgres, settings) }
  await service.client.stores.change('shop', { sealed: await seal(view.publicKey ?? '', context, { password }), secrets: ['password'] })

  await allWell()
})

test('a node that cannot take over the settings of its gateway is inactive', async () => {
  const { data } = running('b')
  await rename(join(data, 'node.json'), join(data, 'vault', 'kept'))
  await mkdir(join(data, 'node.json'))
  await service.client.nodes.change(GATEWAY, 'b', { name: 'bee', settings: { queryConcurrency: 5 } })

  await becomes('bee', 'inactive', /has not taken over the settings of the gateway: ./)
  await rmdir(join(data, 'node.json'))
  await becomes('bee', 'online')
  await service.client.nodes.change(GATEWAY, 'bee', { name: 'b' })
  await allWell()
})

test('a node whose program is being updated is upgrading and takes nothing new', async () => {
  const { data } = running('a')
  expect((await cli('node', 'upgrading', '--data', data)).code).toBe(0)

  await becomes('a', 'upgrading', /being updated; drained: nothing is running/)
  expect(await (await service.client.query('shop', { sql: 'select 1 as one' })).rows()).toEqual([{ one: 1 }])
  expect((await cli('node', 'upgrading', '--end', '--data', data)).code).toBe(0)
  await allWell()
})

test('a node is draining, disabled and online as an administrator says', async () => {
  expect((await cli('node', 'drain', `${GATEWAY}/a`)).stdout).toBe('Node demo/a is draining.\n')
  await becomes('a', 'draining', /drained: nothing is running/)
  expect((await cli('node', 'disable', `${GATEWAY}/a`)).stdout).toBe('Node demo/a is disabled.\n')
  expect((await gateway()).status).toBe('online')
  for (const name of ['b', 'c']) await service.client.nodes.act(GATEWAY, name, 'disable')
  await gatewayBecomes('offline')
  for (const name of NAMES) await service.client.nodes.act(GATEWAY, name, 'enable')
  await allWell()
})

test('a gateway of which every node is down is offline', async () => {
  await Promise.all([running('a').kill(), running('b').kill(), running('c').process.stop()])

  const view = await gatewayBecomes('offline')
  expect([...view.statusReasons].sort()).toEqual([
    expect.stringMatching(/^a is offline: silent/),
    expect.stringMatching(/^b is offline: silent/),
    'c is offline: it was stopped and said goodbye',
  ])
})
