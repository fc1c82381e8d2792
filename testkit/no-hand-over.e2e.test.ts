/** A gateway whose nodes hand its key to nobody who comes with an authentication key, whatever the service says: on real processes. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { TestNode } from './node.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { recoveryKey } from './recovery-key.ts'
import { waitFor } from './wait-for.ts'

const ARGS = ['--no-hand-over']
const stack = new AsyncDisposableStack()
let cluster: Cluster
let database: TestDatabase

beforeAll(async () => {
  database = stack.use(await testDatabase())
  cluster = stack.use(await Cluster.start({ nodes: ['n1'], argsOf: () => ARGS }))
  await cluster.postgresStore('shop', database)
}, 120_000)

afterAll(() => stack.disposeAsync())

const node = (name: string) => cluster.client.nodes.get(cluster.gateway, name)

test('a new node gets the key by the recovery key only, and follows when it is rotated', async () => {
  const { key } = await recoveryKey(cluster.node('n1').data)
  const options = { name: 'n2', url: cluster.service.url, key: cluster.key, args: ARGS }
  const refused = stack.use(await TestNode.start(options))

  await waitFor('n1 has refused it', () => cluster.node('n1').process.log.includes('--no-hand-over'))
  const waiting = await waitFor(
    'it waits',
    () => node('n2'),
    ({ statusReasons }) => /gateway's key/.test(statusReasons.join()),
  )
  expect(waiting.status).toBe('limited')
  await refused.process.stop()

  const words = [
    'node',
    'join',
    '--url',
    cluster.service.url,
    '--key',
    cluster.key,
    '--name',
    'n2',
    '--data',
    refused.data,
    '--recovery-key',
    '-',
  ]
  const joined = await cluster.cli(words, { input: `${key}\n` })
  expect(joined.code, joined.stderr).toBe(0)
  await refused.restart()
  await waitFor(
    'it has the key',
    () => node('n2'),
    ({ status }) => status === 'online',
    { timeoutMs: 30_000 },
  )
  expect((await cluster.client.stores.test('shop', { node: 'n2' })).fault).toBeUndefined()

  const rotated = await cluster.cli(['gateway', 'rotate-key', cluster.gateway])
  expect(rotated.code, rotated.stderr).toBe(0)
  for (const name of ['n1', 'n2']) expect((await cluster.client.stores.test('shop', { node: name })).fault, name).toBeUndefined()
}, 120_000)
