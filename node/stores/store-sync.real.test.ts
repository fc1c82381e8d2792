/** Versions of credentials reach nodes by whichever way is left; a node that lacks one is not asked. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { seal } from '@postern/client/seal.ts'
import { audienceOf } from '@postern/connectors/contract.ts'
import { postgres } from '@postern/connectors/postgres/index.ts'
import { FlakyLink } from '@postern/testkit/flaky-link.ts'
import { freePort } from '@postern/testkit/free-port.ts'
import { type TestDatabase, testDatabase } from '@postern/testkit/postgres.ts'
import { TestService } from '@postern/testkit/service.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LocalNode } from '../testing/local-node.ts'
import { NoUpgradeProxy } from '../testing/middleboxes.ts'

const GATEWAY = 'demo'
let service: TestService
let database: TestDatabase
/** Between two and the service. */
let network: FlakyLink
/** In front of the service for three. */
let proxy: NoUpgradeProxy
/** In front of one's channel. */
let channel: FlakyLink
let one: LocalNode
let two: LocalNode
let three: LocalNode

beforeAll(async () => {
  service = await TestService.start()
  database = await testDatabase()
  const { key1 } = await service.client.gateways.create({ name: GATEWAY, settings: { graceSeconds: 0, policy: 'round-robin' } })
  const key = key1 ?? ''
  network = await FlakyLink.to(service)
  proxy = await NoUpgradeProxy.to(service.url)
  proxy.closed = false
  const port = await freePort()
  channel = await FlakyLink.to({ port })
  one = await LocalNode.start({ url: service.url, key, name: 'one', channelPort: port, channelHost: `127.0.0.1:${channel.port}` })
  two = await LocalNode.start({ url: `http://127.0.0.1:${network.port}`, key, name: 'two' })
  three = await LocalNode.start({ url: proxy.url, key, name: 'three' })
  await allOnline()
})

afterAll(async () => {
  for (const part of [one, two, three, channel, proxy, network, service, database]) await part?.[Symbol.asyncDispose]()
})

const views = () => service.client.nodes.list(GATEWAY)
const allOnline = () =>
  waitFor(
    'all are online and in sync',
    views,
    (nodes) => nodes.length === 3 && nodes.every((node) => node.status === 'online' && node.credentialStatus === 'in-sync'),
    { timeoutMs: 30_000 },
  )
const versionOf = async (node: LocalNode) => (await node.status()).storesVersion ?? -1

async function sealed(password: string): Promise<string> {
  const { id, publicKey } = await service.client.gateways.get(GATEWAY)
  return seal(publicKey ?? '', { gatewayId: id, kind: 'postgres', audience: audienceOf(postgres, settings()) }, { password })
}
const settings = () => ({ host: database.host, port: database.port, database: database.name, user: database.user })
const ask = async (store: string) => (await service.client.query(store, { sql: 'select 1 as one' })).rows()

test('a new store is on every node before anybody asks for it, encrypted', async () => {
  const before = await versionOf(one)
  await service.client.stores.create({
    name: 'shop',
    gateway: GATEWAY,
    kind: 'postgres',
    settings: settings(),
    sealed: await sealed(database.password),
    secrets: ['password'],
  })

  for (const node of [one, two, three]) {
    await waitFor(
      `${node.joined.name} has it`,
      () => versionOf(node),
      (version) => version > before,
    )
    const vault = join(node.data, 'vault')
    const names = (await readdir(vault)).filter((name) => name.startsWith('sto_'))
    expect(names).toHaveLength(1)
    for (const name of (await readdir(vault)).filter((entry) => !entry.endsWith('.tmp'))) {
      const text = await readFile(join(vault, name), 'utf8')
      for (const bytes of [text, Buffer.from(text, 'base64url').toString('latin1')]) {
        for (const clear of [database.password, '"sealed"', '"settings"', database.name]) expect(bytes).not.toContain(clear)
      }
    }
  }
})

test('a store that is deleted leaves every node', async () => {
  await service.client.stores.create({
    name: 'short',
    gateway: GATEWAY,
    kind: 'postgres',
    settings: settings(),
    sealed: await sealed('x'),
    secrets: ['password'],
  })
  const stores = async (node: LocalNode) => (await readdir(join(node.data, 'vault'))).filter((name) => name.startsWith('sto_')).length
  for (const node of [one, two, three])
    await waitFor(
      'it is there',
      () => stores(node),
      (count) => count === 2,
    )

  await service.client.stores.delete('short')

  for (const node of [one, two, three])
    await waitFor(
      'it is gone',
      () => stores(node),
      (count) => count === 1,
    )
})

test('a worker that is cut off from the service gets a new version from the dispatcher over the channel', async () => {
  await waitFor('one dispatches', views, (nodes) => nodes.some(({ name, role }) => name === 'one' && role === 'dispatcher'), {
    timeoutMs: 20_000,
  })
  const before = await versionOf(two)
  network.cut()
  await waitFor('two is away', views, (nodes) => nodes.find(({ name }) => name === 'two')?.status === 'offline')

  await service.client.stores.change('shop', { sealed: await sealed(database.password), secrets: ['password'] })

  await waitFor(
    'two has it',
    () => versionOf(two),
    (version) => version > before,
    { timeoutMs: 5_000 },
  )
  network.heal()
  await allOnline()
})

test('a node that cannot get a version is no candidate for the store, is behind, and finds out when it can', async () => {
  proxy.refuses = /\/v1\/node\/stores/
  channel.cut()
  const members = await views()
  await service.client.nodes.act(GATEWAY, 'two', 'disable')
  expect(members.map(({ credentialStatus }) => credentialStatus)).toEqual(['in-sync', 'in-sync', 'in-sync'])
  // Two holds the new version, and its channel is open: it must not be the one that helps.
  await two.stop()
  const { version } = await service.client.stores.change('shop', { sealed: await sealed(database.password), secrets: ['password'] })

  // Nobody waits for a node that lacks it: the next one answers.
  for (let turn = 0; turn < 4; turn += 1) expect(await ask('shop')).toEqual([{ one: 1 }])
  const behind = await waitFor(
    'three is behind',
    () => service.client.nodes.get(GATEWAY, 'three'),
    ({ lacks }) => lacks.length > 0,
    { timeoutMs: 20_000 },
  )
  expect(behind).toMatchObject({
    credentialStatus: expect.stringMatching(/^behind by \d+$/),
    lacks: [{ store: 'shop', version, has: version - 1 }],
  })
  expect(behind.statusReasons.join()).toMatch(/credentials are behind/)
  const answer = await service.client.query('shop', { sql: 'select 1 as one' })
  await answer.rows()
  const explained = await service.client.queries.get(answer.id)
  expect(explained.node).toBe('one')
  expect(explained.attempts).toHaveLength(1)
  const three3 = explained.candidates.find(({ node }) => node === 'three')
  expect(three3?.reason).toMatch(new RegExp(`^lacks version ${version} of the credential of store shop \\(has version ${version - 1}\\): `))

  proxy.refuses = undefined
  channel.heal()
  await two.restart()
  await service.client.nodes.act(GATEWAY, 'two', 'enable')
  await allOnline()
})
