/** The gateway's key: who gets it, who does not, how it comes back when all nodes are gone, and how it is rotated under load. On real processes. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { TestNode } from './node.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { recoveryKey } from './recovery-key.ts'
import { waitFor } from './wait-for.ts'

let cluster: Cluster
let database: TestDatabase

const node = (name: string) => cluster.client.nodes.get(cluster.gateway, name)
const answers = async () => await (await cluster.client.query('shop', { sql: 'select 1 as one' })).rows()

beforeAll(async () => {
  database = await testDatabase()
  cluster = await Cluster.start()
  await cluster.postgresStore('shop', database)
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
})

test('a node that joins with a regenerated key gets the gateway key; one that joined with what was replaced does not', async () => {
  const { key2: older = '' } = await cluster.client.gateways.regenerateKey(cluster.gateway, 2)
  // Joined in time, but not started before its key was replaced: nobody hands anything over to it.
  const late = await TestNode.join({ name: 'late', url: cluster.service.url, key: older })
  const { key2: newer = '' } = await cluster.client.gateways.regenerateKey(cluster.gateway, 2)
  await using fresh = await TestNode.start({ name: 'fresh', url: cluster.service.url, key: newer })
  await waitFor(
    'the one of today has the key',
    () => node('fresh'),
    ({ status }) => status === 'online',
  )

  await late.restart()
  const waiting = await waitFor(
    'the other waits',
    () => node('late'),
    ({ statusReasons }) => /gateway's key/.test(statusReasons.join()),
  )

  expect(waiting.status).toBe('limited')
  await waitFor('its log says why', () => late.process.log.includes('its authentication key is not good any more'))
  await late.process.stop()
  const again = await cluster.cli(['node', 'join', '--url', cluster.service.url, '--key', newer, '--name', 'late', '--data', late.data])
  expect(again.code).toBe(0)
  await late.restart()
  await waitFor(
    'it has the key after a new join',
    () => node('late'),
    ({ status }) => status === 'online',
  )
  await late[Symbol.asyncDispose]()
  await fresh.process.stop()
  for (const name of ['late', 'fresh']) await cluster.client.nodes.delete(cluster.gateway, name)
})

test('a recovery key that was not typed back as it was shown changes nothing', async () => {
  const wrong = await recoveryKey(cluster.node('n1').data, (key) => key.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')))

  expect([wrong.code, wrong.result]).toEqual([2, expect.stringContaining('RECOVERY_KEY_NOT_CONFIRMED')])
  expect((await cluster.client.gateways.get(cluster.gateway)).recoveryKeyAt).toBeNull()
})

test('when all nodes are gone, one that joins with the recovery key opens every credential again; older recovery keys do not', async () => {
  const first = await recoveryKey(cluster.node('n1').data)
  const second = await recoveryKey(cluster.node('n2').data, (key) => key.toLowerCase().replaceAll('-', ' '))
  expect([first.code, second.code, JSON.parse(second.result)]).toEqual([0, 0, expect.objectContaining({ confirmed: true })])
  const shown = await cluster.cli(['gateway', 'show', cluster.gateway])
  expect(shown.stdout).toMatch(/recovery key +since 20/)
  // A rotation takes the recovery key along: nobody is asked for it.
  expect((await cluster.cli(['gateway', 'rotate-key', cluster.gateway])).code).toBe(0)
  const before = await fingerprint()

  const { key1 = '' } = await cluster.client.gateways.regenerateKey(cluster.gateway, 1)
  for (const [name, gone] of [...cluster.nodes]) {
    await gone.kill()
    await gone[Symbol.asyncDispose]()
    await cluster.client.nodes.delete(cluster.gateway, name)
    cluster.nodes.delete(name)
  }
  expect(await fingerprint()).toBe(before)

  const options = { name: 'n1', url: cluster.service.url, key: key1 }
  const words = ['node', 'join', '--url', options.url, '--key', key1, '--name', 'n1']
  const broken = await cluster.cli([...words, '--data', '/nonexistent', '--recovery-key', 'nonsense'])
  expect([broken.code, broken.stderr]).toEqual([2, expect.stringContaining('not a recovery key')])
  await expect(TestNode.start({ ...options, recoveryKey: first.key })).rejects.toThrow('not the recovery key of the gateway')
  // It has joined all the same, and waits for the key: its name is taken from it by the next try.
  const restored = await TestNode.start({ ...options, recoveryKey: second.key })
  cluster.nodes.set('n1', restored)
  await waitFor(
    'it is online',
    () => node('n1'),
    ({ status }) => status === 'online',
  )

  expect(await answers()).toEqual([{ one: 1 }])
  expect(await fingerprint()).toBe(before)
  // And it hands the key on, as any other.
  const next = await TestNode.start({ name: 'n2', url: cluster.service.url, key: key1 })
  cluster.nodes.set('n2', next)
  await waitFor(
    'the second is online',
    () => node('n2'),
    ({ status }) => status === 'online',
  )
})

// ── rotation ───────────────────────────────────────────────────────────────────────────────────────

/** Queries without a pause until it is told to stop; what failed, and how many did not. */
async function querying(
  stores: readonly string[],
  until: AbortSignal,
): Promise<{ readonly done: number; readonly failed: readonly string[] }> {
  let done = 0
  const failed: string[] = []
  const loop = async (offset: number) => {
    for (let n = offset; !until.aborted; n += 1) {
      try {
        await (await cluster.client.query(stores[n % stores.length] ?? '', { sql: 'select 1 as one' })).rows()
        done += 1
      } catch (cause) {
        failed.push(String(cause))
      }
    }
  }
  await Promise.all([0, 1, 2].map(loop))
  return { done, failed }
}

const rotate = () => cluster.cli(['gateway', 'rotate-key', cluster.gateway, '--json'])
const fingerprint = async () => (await cluster.client.gateways.get(cluster.gateway)).fingerprint

/** Each node opens a credential with a session of its own. */
async function allOpen(store = 'shop'): Promise<void> {
  for (const name of cluster.nodes.keys()) {
    const result = await waitFor(
      `${name} opens ${store}`,
      () => cluster.client.stores.test(store, { node: name }),
      ({ ok }) => ok,
    )
    expect(result.node).toBe(name)
  }
}

test('the key is rotated while queries run, twice, and not one fails; credentials that are saved meanwhile open', async () => {
  for (const name of ['shop-2', 'shop-3', 'shop-4']) await cluster.postgresStore(name, database)
  const before = await fingerprint()
  const over = new AbortController()
  const load = querying(['shop', 'shop-2', 'shop-3', 'shop-4'], over.signal)

  const first = await rotate()
  const saving = cluster.cli(['store', 'set', 'shop-4', '--secret', 'password=-'], { input: `${database.password}\n` })
  const second = await rotate()
  const saved = await saving
  await allOpen()
  await allOpen('shop-4')
  over.abort()
  const { done, failed } = await load

  expect([first.code, second.code]).toEqual([0, 0])
  // Either in time, or refused with what to do; never kept unreadable.
  expect(saved.code === 0 ? '' : saved.stderr).toMatch(/^$|GATEWAY_KEY|rotated|not the one/)
  expect(second.json()).toMatchObject({ unreadable: [], proven: true, fingerprint: await fingerprint() })
  expect(new Set([before, first.json<{ fingerprint: string }>().fingerprint, await fingerprint()]).size).toBe(3)
  expect(failed).toEqual([])
  expect(done).toBeGreaterThan(20)
})

test('a node that was away during a rotation gets the new key when it comes back', async () => {
  const away = cluster.node('n2')
  await away.process.stop()
  await waitFor(
    'it is known to be away',
    () => node('n2'),
    ({ status }) => status === 'offline',
  )

  expect((await rotate()).code).toBe(0)
  await away.restart()

  await cluster.allOnline()
  await allOpen()
})

test('a machine that sealed to the old key says so loudly, and goes on once a person has compared', async () => {
  const elsewhere = { XDG_CONFIG_HOME: `${cluster.service.data}-elsewhere` }
  const setting = () =>
    cluster.cli(['store', 'set', 'shop-2', '--secret', 'password=-'], { input: `${database.password}\n`, env: elsewhere })
  expect((await setting()).code).toBe(0)
  expect((await rotate()).code).toBe(0)

  const refused = await setting()
  const wrong = await cluster.cli(['gateway', 'trust', cluster.gateway, '--fingerprint', 'abcd'], { env: elsewhere })
  const trusted = await cluster.cli(['gateway', 'trust', cluster.gateway, '--fingerprint', (await fingerprint()) ?? ''], { env: elsewhere })

  expect([refused.code, refused.stderr]).toEqual([4, expect.stringMatching(/not the one this machine knows[\s\S]*gateway trust/)])
  expect([wrong.code, trusted.code]).toEqual([4, 0])
  expect((await setting()).code).toBe(0)
})

test.each([
  ['as soon as it begins', 'the key of the gateway is being rotated'],
  ['when all nodes hold the next key', 'the nodes that are there hold the next key'],
  ['when the service has taken it over', 'this node holds the gateway key'],
] as const)('kill -9 of the node that rotates the key, %s, leaves a gateway that works', async (_when, event) => {
  const rotator = cluster.node(await cluster.dispatcher())
  const seen = rotator.process.log.length
  const before = await fingerprint()

  const rotating = cluster.client.gateways.rotateKey(cluster.gateway).catch(() => undefined)
  await waitFor(`it says "${event}"`, () => rotator.process.log.slice(seen).includes(event), Boolean, { everyMs: 1 })
  await rotator.kill()
  await rotating
  expect(await answers().catch((cause: unknown) => `${cause}\n${cluster.logs.slice(-6000)}`)).toEqual([{ one: 1 }])
  await rotator.restart()
  await cluster.allOnline()

  await allOpen()
  // Nobody told this machine whether the rotation came through: where it did, a person compares.
  const now = (await fingerprint()) ?? ''
  if (now !== before) expect((await cluster.cli(['gateway', 'trust', cluster.gateway, '--fingerprint', now])).code).toBe(0)
  const again = await rotate()
  expect([again.code, again.stderr]).toEqual([0, expect.not.stringContaining('error')])
  expect(again.json()).toMatchObject({ unreadable: [] })
  await allOpen()
})
