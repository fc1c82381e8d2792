/** Nodes that are renamed, moved, deleted, uninstalled, expire, come back, and are cut off: on real processes. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { postern } from './cli.ts'
import { Cluster } from './cluster.ts'
import { CopyRig } from './copy-rig.ts'
import { FlakyLink } from './flaky-link.ts'
import { TestNode } from './node.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { waitFor } from './wait-for.ts'

let cluster: Cluster
let key: string
let database: TestDatabase

const list = (gateway = cluster.gateway) => cluster.client.nodes.list(gateway)
const names = async (gateway?: string) => (await list(gateway)).map(({ name }) => name)
const idOf = async (name: string) => (await cluster.client.nodes.get(cluster.gateway, name)).id
const nodeFile = async (node: TestNode) => JSON.parse(await readFile(join(node.data, 'node.json'), 'utf8'))
const answers = async () => await (await cluster.client.query('shop', { sql: 'select 1 as one' })).rows()
const connections = (to: TestDatabase) =>
  to.query(
    `select 1 from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()`,
  )

function online(name: string, gateway = cluster.gateway): Promise<unknown> {
  const look = () => cluster.client.nodes.get(gateway, name)
  return waitFor(`${gateway}/${name} is online`, look, ({ status }) => status === 'online')
}

/** The exit code of a process that ends by itself. */
async function exitOf(node: TestNode): Promise<number | null> {
  await waitFor('the process has ended', () => !node.process.running)
  return node.process.kill()
}

async function addNode(name: string): Promise<TestNode> {
  const node = await TestNode.start({ name, url: cluster.service.url, key })
  cluster.nodes.set(name, node)
  await online(name)
  return node
}

beforeAll(async () => {
  database = await testDatabase()
  cluster = await Cluster.start()
  key = (await cluster.client.gateways.regenerateKey(cluster.gateway, 2)).key2 ?? ''
  await cluster.postgresStore('shop', database)
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
})

test('a node that is renamed learns its new name, and keeps it', async () => {
  const id = await idOf('n2')
  const renamed = await cluster.cli(['node', 'rename', 'demo/n2', 'zwei'])
  expect(renamed.stdout).toBe('Node demo/n2 is now demo/zwei.\n')

  await waitFor(
    'the node has the name',
    () => nodeFile(cluster.node('n2')),
    ({ name }) => name === 'zwei',
  )
  await cluster.node('n2').process.stop()
  await cluster.node('n2').restart()
  await online('zwei')

  expect(await idOf('zwei')).toBe(id)
  await cluster.client.nodes.change(cluster.gateway, 'zwei', { name: 'n2' })
})

test('a machine that was killed and made anew takes the place of its ghost', async () => {
  const [id, place] = [await idOf('n2'), await names()]
  const old = cluster.node('n2')
  await old.kill()

  await addNode('n2')

  expect([await idOf('n2'), await names()]).toEqual([id, place])
  await old[Symbol.asyncDispose]()
})

test('a node is moved to another gateway, but only when one says so', async () => {
  const node = cluster.node('n2')
  await cluster.client.stores.test('shop', { node: 'n2' })
  const other = await cluster.client.gateways.create({ name: 'other' })
  const joining = ['node', 'join', '--url', cluster.service.url, '--key', other.key1, '--data', node.data]
  const identity = (await nodeFile(node)).identity

  expect((await cluster.cli([...joining, '--move'])).stderr).toMatch(/^error: Another process uses this data folder/)
  await node.process.stop()
  const refused = await cluster.cli(joining)
  expect(refused.code).toBe(1)
  expect(refused.stderr).toMatch(/\nremedy: Repeat it with --move /)
  expect([await names(), await names('other')]).toEqual([['n1', 'n2'], []])
  const vault = async () => await readdir(join(node.data, 'vault'))
  expect((await vault()).some((file) => file.startsWith('sto_'))).toBe(true)

  const moved = await cluster.cli([...joining, '--move', '--json'])
  expect(moved.json()).toMatchObject({ name: 'n2', gateway: 'other', moved: { from: 'demo/n2', fault: null } })

  expect([await names(), await names('other')]).toEqual([['n1'], ['n2']])
  expect((await nodeFile(node)).identity).not.toBe(identity)
  expect(await vault()).toEqual(['gateway-key'])
  expect(moved.json<{ fingerprint: string }>().fingerprint).toBe((await cluster.client.gateways.get('other')).fingerprint)
  await node.restart()
  await online('n2', 'other')
  await node[Symbol.asyncDispose]()
})

test('a gateway goes on with one node, and with a second one again', async () => {
  expect(await answers()).toEqual([{ one: 1 }])

  await addNode('n2')

  expect(await cluster.client.stores.test('shop', { node: 'n2' })).toMatchObject({ ok: true })
})

test('a primary that is deleted stops serving at once, and the next one is the primary', async () => {
  const node = cluster.node('n1')
  const asked = cluster.client.query('shop', { sql: 'select pg_sleep(60)', mode: 'write' }).catch((cause: unknown) => cause)
  const sleeping = () => database.query(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`)
  await waitFor('the statement runs', sleeping, (rows) => rows.length === 1)
  const [before] = await list()
  expect(before).toMatchObject({ name: 'n1', isPrimary: true })
  const since = performance.now()

  expect((await cluster.cli(['node', 'delete', 'demo/n1'])).stdout).toBe('Node demo/n1 is deleted.\n')

  await waitFor('the statement is gone', sleeping, (rows) => rows.length === 0, { timeoutMs: 4_000 })
  expect(await exitOf(node)).toBe(4)
  expect(performance.now() - since).toBeLessThan(8_000)
  expect(node.process.log).toMatch(/error: This node was deleted from its gateway\.\nremedy: Join it again/)
  expect(await asked).toBeInstanceOf(Error)
  expect(await list()).toMatchObject([{ name: 'n2', isPrimary: true }])
  expect(await answers()).toEqual([{ one: 1 }])
  await waitFor('n2 dispatches', list, ([one]) => one?.role === 'dispatcher')

  const again = await postern(['node', 'start', '--data', node.data, '--channel-port', '0', '--console-port', '0'])
  expect([again.code, again.stderr]).toEqual([4, expect.stringContaining('deleted from its gateway')])
  await node[Symbol.asyncDispose]()
})

test('a node is uninstalled on its machine: it is gone here and there', async () => {
  await using network = await FlakyLink.to(cluster.service)
  const url = `http://127.0.0.1:${network.port}`
  await using node = await TestNode.start({ name: 'n3', url, key })
  const uninstall = (...flags: string[]) => postern(['node', 'uninstall', '--data', node.data, ...flags])

  expect((await uninstall()).stderr).toMatch(/Another process uses this data folder/)
  await node.process.stop()
  network.cut()
  const unheard = await uninstall()
  expect([unheard.code, unheard.stderr]).toEqual([
    5,
    expect.stringMatching(/Nothing was changed\.\nremedy: .* Or repeat it with --force\./),
  ])
  expect(await names()).toContain('n3')
  network.heal()
  const done = await uninstall()

  expect([done.code, done.stdout]).toEqual([0, expect.stringMatching(/^Node demo\/n3 is uninstalled: /)])
  expect(await names()).not.toContain('n3')
  await expect(readdir(node.data)).rejects.toThrow('ENOENT')
})

test('with --force it is uninstalled here, and one is told what is left to do', async () => {
  await using network = await FlakyLink.to(cluster.service)
  await using node = await TestNode.start({ name: 'n3', url: `http://127.0.0.1:${network.port}`, key })
  await node.kill()
  network.cut()

  const done = await postern(['node', 'uninstall', '--data', node.data, '--force'])

  expect([done.code, done.stderr]).toEqual([0, expect.stringContaining('postern node delete demo/n3')])
  await cluster.client.nodes.delete(cluster.gateway, 'n3')
})

test('a dead node expires; when it comes back it says so and ends', async () => {
  const node = await addNode('n4')
  await cluster.client.gateways.set(cluster.gateway, { nodeExpirySeconds: 2 })
  await node.kill()

  await waitFor('n4 has expired', names, (all) => !all.includes('n4'), { timeoutMs: 45_000 })

  expect(await names()).toEqual(['n2'])
  await expect(node.restart()).rejects.toThrow(/deleted from its gateway/)
  await node[Symbol.asyncDispose]()
  cluster.nodes.delete('n4')
  await cluster.client.gateways.set(cluster.gateway, { nodeExpirySeconds: 0 })
})

test('a node that is cut off beyond its grace period ends its sessions, and works again when it hears from the service', async () => {
  let network: FlakyLink | undefined
  const urlOf = async (service: { readonly port: number }) => {
    network = await FlakyLink.to(service)
    return `http://127.0.0.1:${network.port}`
  }
  await using alone = await Cluster.start({ gateway: 'alone', nodes: ['g1'], urlOf })
  // Long before it counts: the node hears of it with its next beat.
  await alone.client.gateways.set('alone', { graceSeconds: 3 })
  await using rig = await CopyRig.make(alone, { rows: 30_000, bytesPerSecond: 100_000 })
  const run = await alone.startCopy({ source: rig.names.source, sink: rig.names.target, from: 'orders', to: 'orders', parts: 4 })
  await waitFor(
    'the copy reads',
    () => connections(rig.source),
    (rows) => rows.length > 0,
  )
  const { log } = alone.node('g1').process
  expect(log).not.toContain('grace period')

  network?.cut()

  await waitFor(
    'the grace period is over',
    () => alone.node('g1').process.log,
    (said) => said.includes('cut off for longer than the grace period'),
    { timeoutMs: 30_000 },
  )
  // What lies on the slow way already has to go first.
  rig.link.heal()
  await waitFor(
    'no session is left',
    () => connections(rig.source),
    (rows) => rows.length === 0,
  )
  expect((await alone.client.runs.get(run.id)).status).toBe('running')
  network?.heal()
  await waitFor(
    'it works again',
    () => alone.node('g1').process.log,
    (said) => said.includes('the service is heard of again'),
  )
  const ended = await alone.ended(run.id)
  expect([ended.status, ended.fault]).toEqual(['succeeded', null])
  expect(await CopyRig.fingerprint(rig.target)).toEqual(await CopyRig.fingerprint(rig.source))
  await network?.[Symbol.asyncDispose]()
})
