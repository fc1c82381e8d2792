/**
 * Whoever gets the service's database, every log and all the traffic: is a secret in it, or anything that opens one? On real processes, with
 * passwords, joins, queries and a copy.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemRandom } from '@postern/base/random.ts'
import { Identity } from '@postern/node/identity/identity.ts'
import { NodeFile } from '@postern/node/state/node-file.ts'
import { makeGatewayKey } from '@postern/node/vault/gateway-key.ts'
import type { Claim } from '@postern/node/vault/hand-over.ts'
import { parseRecoveryKey } from '@postern/node/vault/recovery-key.ts'
import { VaultFiles } from '@postern/node/vault/vault-file.ts'
import { openAuthKey } from '@postern/protocol/auth-key.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { postern } from './cli.ts'
import { freePort } from './free-port.ts'
import { TestNode } from './node.ts'
import { NO_PG_DUMP, pgDump, rowsOf, serverWithPgDump } from './pg-dump.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { PostgresServer } from './postgres-server.ts'
import { Recorder } from './recorder.ts'
import { recoveryKey } from './recovery-key.ts'
import { found, type Sought, soughtBytes, soughtText } from './secret-search.ts'
import { TestService } from './service.ts'
import { loot, steal } from './thief.ts'
import { waitFor } from './wait-for.ts'

const GATEWAY = 'demo'
/** The service's database is on one that pg_dump can read, where this machine has one. */
let server: PostgresServer | undefined
let kept: TestDatabase
let shop: TestDatabase
let service: TestService
let traffic: Recorder
/** Before the channel of each node. */
const channels: Recorder[] = []
const nodes: TestNode[] = []
const keys: string[] = []
/** Everything that the command line said to a person, but for the keys that it shows once. */
const said: string[] = []
/** Both that were made: the first is not good any more. */
const recovery: string[] = []
/** Of the gateway, before its rotation. */
let oldKey = ''

async function cli(
  args: readonly string[],
  options: { readonly input?: string; readonly env?: Record<string, string> } = {},
): Promise<string> {
  const env = { ...service.env, POSTERN_URL: traffic.url, ...options.env }
  const result = await postern(args, { ...options, env })
  if (result.code !== 0) throw new Error(`postern ${args.slice(0, 3).join(' ')} ended with ${result.code}: ${result.stderr}`)
  return result.stdout
}

async function addNode(name: string, key: string): Promise<TestNode> {
  const port = await freePort()
  const channel = await Recorder.to(port)
  channels.push(channel)
  const args = ['--channel-port', String(port), '--channel-host', `127.0.0.1:${channel.port}`]
  const node = await TestNode.start({ name, url: traffic.url, key, env: { POSTERN_LOG: 'debug' }, args })
  nodes.push(node)
  return node
}

const online = (count: number) =>
  waitFor(
    `${count} nodes are online`,
    () => service.client.nodes.list(GATEWAY),
    (seen) => seen.length === count && seen.every(({ status, credentialStatus }) => status === 'online' && !/wait/.test(credentialStatus)),
    { timeoutMs: 30_000 },
  )

beforeAll(async () => {
  const binaries = serverWithPgDump()
  server = binaries === undefined ? undefined : await PostgresServer.start({ binaries })
  kept = await testDatabase(server ? { server } : {})
  shop = await testDatabase()
  service = await TestService.start({ database: 'embedded', args: ['--database-url', kept.url], env: { POSTERN_LOG: 'debug' } })
  traffic = await Recorder.to(service.port)
  const { key1, key2 } = JSON.parse(await cli(['gateway', 'create', GATEWAY, '--json'])) as { key1: string; key2: string }
  keys.push(key1, key2)
  await addNode('n1', key1)
  await addNode('n2', key2)
  const third = JSON.parse(await cli(['gateway', 'keys', GATEWAY, '--regenerate', '1', '--json'])) as { key1: string }
  keys.push(third.key1)
  await addNode('n3', third.key1)
  await online(3)
  await useIt()
})

/** Stores with a password, queries at each node, a copy, and a recovery key. */
async function useIt(): Promise<void> {
  await shop.query('create table orders as select n as id from generate_series(1, 5000) n; create table copies (id int)')
  const set = [`host=${shop.host}`, `port=${shop.port}`, `database=${shop.name}`, `user=${shop.user}`].flatMap((word) => ['--set', word])
  const create = ['store', 'create', 'shop', '--gateway', GATEWAY, '--kind', 'postgres', ...set, '--secret', 'password=-']
  said.push(await cli(create, { input: `${shop.password}\n` }))
  for (const name of ['n1', 'n2', 'n3']) said.push(await cli(['store', 'test', 'shop', '--node', name]))
  said.push(await cli(['query', 'shop', 'select count(*) from orders']))
  oldKey = nodes[0] ? await gatewayKeyOf(nodes[0]) : ''
  for (const node of nodes.slice(0, 2)) recovery.push((await recoveryKey(node.data)).key)
  said.push(await cli(['gateway', 'rotate-key', GATEWAY, '--json']))
  said.push(await cli(['copy', 'shop', 'shop', '--from', 'orders', '--to', 'copies', '--mode', 'append', '--json']))
}

afterAll(async () => {
  for (const node of nodes) await node[Symbol.asyncDispose]()
  await service?.[Symbol.asyncDispose]()
  for (const recorder of [...channels, ...(traffic ? [traffic] : [])]) await recorder[Symbol.asyncDispose]()
  await kept?.[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
  await shop?.[Symbol.asyncDispose]()
})

const fileOf = async (node: TestNode) => NodeFile.parse(JSON.parse(await readFile(join(node.data, 'node.json'), 'utf8')))

async function gatewayKeyOf(node: TestNode): Promise<string> {
  const files = new VaultFiles({ folder: join(node.data, 'vault'), secret: (await fileOf(node)).secret, random: systemRandom })
  return (await files.read('gateway-key')) ?? ''
}

/** All that nobody but people and nodes may have. */
async function secrets(): Promise<Sought[]> {
  const list: Sought[] = [soughtText('the store password', shop.password)]
  for (const [index, key] of keys.entries()) {
    const bytes = key.slice('pgk_'.length)
    const both = Buffer.from(bytes, 'base64url')
    list.push(soughtText(`authentication key ${index}`, key))
    list.push(
      { name: `join secret ${index}`, bytes: both.subarray(0, 32) },
      { name: `hand-over secret ${index}`, bytes: both.subarray(32, 64) },
    )
    list.push(soughtBytes(`hand-over seed ${index}`, (await openAuthKey(key))?.handOverSeed ?? ''))
  }
  for (const node of nodes) {
    const { identity, secret, channel } = await fileOf(node)
    list.push(soughtBytes(`the gateway key of ${node.name}`, await gatewayKeyOf(node)))
    list.push(soughtBytes(`the vault secret of ${node.name}`, secret))
    list.push({ name: `the identity of ${node.name}`, bytes: Buffer.from(identity, 'base64url').subarray(-32) })
    list.push(soughtText(`the channel key of ${node.name}`, channel.privateKey.split('\n')[1] ?? ''))
  }
  list.push(soughtBytes('the gateway key before its rotation', oldKey))
  for (const [index, key] of recovery.entries()) {
    list.push(soughtText(`recovery key ${index}`, key), soughtText(`recovery key ${index}, without hyphens`, key.replaceAll('-', '')))
    list.push({ name: `bits of recovery key ${index}`, bytes: parseRecoveryKey(key) ?? Buffer.alloc(0) })
  }
  return list
}

test('each node has the key of the gateway, and nobody the hand-over secret any more', async () => {
  const [first, ...others] = await Promise.all(nodes.map(gatewayKeyOf))

  expect(first).not.toBe('')
  expect(others).toEqual([first, first])
  for (const node of nodes) {
    const files = new VaultFiles({ folder: join(node.data, 'vault'), secret: (await fileOf(node)).secret, random: systemRandom })
    await waitFor('it is forgotten', async () => (await files.read('hand-over-seed')) === undefined)
  }
})

test('a dump of the database has no secret in it, nor anything that opens one', async () => {
  const dump = await rowsOf(kept)

  expect(dump.toString()).toMatch(/store/)
  expect(dump.includes(shop.user)).toBe(true)
  expect(found(dump, [...(await secrets()), soughtText('the token of the administrator', service.token)])).toEqual([])
})

test.skipIf(NO_PG_DUMP !== '')(`nor has what pg_dump makes of it${NO_PG_DUMP}`, async () => {
  const sought = [...(await secrets()), soughtText('the token of the administrator', service.token)]
  for (const format of ['plain', 'custom'] as const) {
    const dump = await pgDump(serverWithPgDump() ?? '', kept, format)

    for (const text of ['store', shop.user, GATEWAY, 'BEGIN CERTIFICATE']) expect(dump.includes(text), text).toBe(true)
    expect(found(dump, sought), format).toEqual([])
  }
})

test('no log of any process has one, at level debug', async () => {
  const logs = [service.process.log, ...nodes.map((node) => node.process.log), ...said].join('\n')

  expect(logs).toContain('hand')
  expect(found(Buffer.from(logs), [...(await secrets()), soughtText('the token of the administrator', service.token)])).toEqual([])
})

test('whoever heard all that passed between people, service and nodes has none', async () => {
  const { heard } = traffic

  expect(heard.includes('/v1/node/join')).toBe(true)
  expect(heard.includes('select count(*) from orders')).toBe(true)
  expect(found(heard, await secrets())).toEqual([])
})

test('nor has whoever heard what passed between the nodes', async () => {
  for (const { heard } of channels) expect(heard.length).toBeGreaterThan(1_000)

  expect(found(Buffer.concat(channels.map(({ heard }) => heard)), await secrets())).toEqual([])
})

// ── the thief ──────────────────────────────────────────────────────────────────────────────────────

test('the CA of a dump lets a thief into the channel, and not to the key', async () => {
  const stolen = await loot(kept)
  const other = stolen.nodes[1]?.id ?? ''
  const seed = Buffer.alloc(32, 7).toString('base64url')
  const held = { ...makeGatewayKey(), publicKey: stolen.publicKey }
  const claims: readonly Claim[] = [
    { by: 'auth-key', seed },
    { by: 'held-key', key: held },
  ]

  for (const as of [other, `nod_${'z'.repeat(20)}`])
    for (const claim of claims) {
      await expect(steal({ as, claim, stolen })).rejects.toMatchObject({ code: 'HAND_OVER_REFUSED' })
    }
})

test('a thief who has stolen a node’s identity too is refused once its authentication keys are regenerated', async () => {
  const { key2 } = JSON.parse(await cli(['gateway', 'keys', GATEWAY, '--regenerate', '2', '--json'])) as { key2: string }
  keys.push(key2)
  const [, n2] = nodes
  if (!n2) throw new Error('There is no n2.')
  const stolen = await loot(kept)
  const identity = Identity.parse((await fileOf(n2)).identity)
  const as = stolen.nodes[1]?.id ?? ''
  const ask = async (key: string) =>
    steal({ as, stolen, identity, claim: { by: 'auth-key', seed: (await openAuthKey(key))?.handOverSeed ?? '' } })

  await expect(ask(keys[0] ?? '')).rejects.toMatchObject({ code: 'HAND_OVER_REFUSED' })
  await expect(ask(keys[1] ?? '')).rejects.toMatchObject({ code: 'HAND_OVER_REFUSED' })
  // The harness works: with a key of today the same request is answered.
  await expect(ask(key2)).resolves.toHaveProperty('sealed')
})

test('with a channel in clear, who listens between the nodes sees the work, and no secret: a key is handed over, a password changed, rows copied', async () => {
  const before = channels.map(({ heard }) => heard.length)
  const settled = () =>
    nodes.filter(({ process }) => process.log.includes('"mode":"off","msg":"the channel has changed its mode"')).length === nodes.length
  await cli(['gateway', 'set', GATEWAY, 'channelEncryption=off'])
  await waitFor('all nodes have changed', settled, Boolean, { timeoutMs: 40_000, everyMs: 100 })
  await addNode('n4', keys.at(-1) ?? '')
  await online(4)
  said.push(await cli(['store', 'set', 'shop', '--secret', 'password=-'], { input: `${shop.password}\n` }))
  for (const name of ['n1', 'n2', 'n3', 'n4']) said.push(await cli(['store', 'test', 'shop', '--node', name]))
  said.push(await cli(['copy', 'shop', 'shop', '--from', 'orders', '--to', 'copies', '--mode', 'append', '--parts', '8', '--json']))

  const heard = Buffer.concat(channels.map((channel, index) => channel.heard.subarray(before[index] ?? 0)))
  // Sealed, the gateway's key and the credential pass; orders for tasks can be read.
  expect(heard.includes('"copies"')).toBe(true)
  expect(heard.includes('"sealed"')).toBe(true)
  expect(await gatewayKeyOf(nodes[3] as TestNode)).toBe(await gatewayKeyOf(nodes[0] as TestNode))
  expect(found(heard, await secrets())).toEqual([])
}, 120_000)
