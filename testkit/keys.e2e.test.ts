/** The gateway's key: who gets it, who does not, how it comes back when all nodes are gone, and how it is rotated under load. On real processes. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { TestNode } from './node.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { waitFor } from './wait-for.ts'

const MAIN = fileURLToPath(new URL('../cli/postern.js', import.meta.url))
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

/** `postern node recovery-key --json` as a program runs it: reads the key, types back what `type` makes of it. */
async function recoveryKey(
  data: string,
  type: (key: string) => string = (key) => key,
): Promise<{ readonly key: string; readonly code: number | null; readonly result: string }> {
  const child = spawn(process.execPath, [MAIN, 'node', 'recovery-key', '--data', data, '--json'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: 60_000,
  })
  let complaint = ''
  child.stderr.on('data', (bytes: Buffer) => {
    complaint += bytes.toString()
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const exited = once(child, 'exit')
  const first = await lines.next()
  const { recoveryKey: key } = JSON.parse(first.done ? '{"recoveryKey":""}' : first.value) as { recoveryKey: string }
  child.stdin.end(`${type(key)}\n`)
  const last = await lines.next()
  const [code] = (await exited) as [number | null]
  return { key, code, result: last.done ? complaint : last.value }
}

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
  const { fingerprint } = await cluster.client.gateways.get(cluster.gateway)

  const { key1 = '' } = await cluster.client.gateways.regenerateKey(cluster.gateway, 1)
  for (const [name, gone] of [...cluster.nodes]) {
    await gone.kill()
    await gone[Symbol.asyncDispose]()
    await cluster.client.nodes.delete(cluster.gateway, name)
    cluster.nodes.delete(name)
  }
  expect((await cluster.client.gateways.get(cluster.gateway)).fingerprint).toBe(fingerprint)

  const options = { name: 'n1', url: cluster.service.url, key: key1 }
  const words = ['node', 'join', '--url', options.url, '--key', key1, '--name', 'n1']
  const broken = await cluster.cli([...words, '--data', '/nonexistent', '--recovery-key', 'nonsense'])
  expect([broken.code, broken.stderr]).toEqual([2, expect.stringContaining('not a recovery key')])
  await expect(TestNode.start({ ...options, recoveryKey: first.key })).rejects.toThrow('not the recovery key of the gateway')
  // What joined without the key is there, and replaced by the next try.
  const restored = await TestNode.start({ ...options, name: 'n1-again', recoveryKey: second.key })
  cluster.nodes.set('n1-again', restored)
  await waitFor(
    'it is online',
    () => node('n1-again'),
    ({ status }) => status === 'online',
  )

  expect(await answers()).toEqual([{ one: 1 }])
  expect((await cluster.client.gateways.get(cluster.gateway)).fingerprint).toBe(fingerprint)
  // And it hands the key on, as any other.
  const next = await TestNode.start({ name: 'n2', url: cluster.service.url, key: key1 })
  cluster.nodes.set('n2', next)
  await waitFor(
    'the second is online',
    () => node('n2'),
    ({ status }) => status === 'online',
  )
})
