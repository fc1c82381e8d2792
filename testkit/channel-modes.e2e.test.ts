/** The channel of a gateway of three nodes goes from mode to mode while copies and queries run on: none of them fails. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LocalNode } from '@postern/node/testing/local-node.ts'
import type { RunView } from '@postern/protocol/api/runs.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CertificateAuthority } from './certificates.ts'
import { Cluster } from './cluster.ts'
import { type TestFolder, testFolder } from './folder.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { waitFor } from './wait-for.ts'

const NODES = ['n1', 'n2', 'n3'] as const
let cluster: Cluster
let folder: TestFolder
let authority: CertificateAuthority
let database: TestDatabase

async function place(name: string, days: number): Promise<void> {
  const { cert, key } = await authority.issue({
    names: ['localhost', `${name}.example`],
    days,
    key: name === 'n3' ? 'RSA 2048' : 'EC P-256',
  })
  await writeFile(join(folder.path, `${name}.key`), key)
  await writeFile(join(folder.path, `${name}.pem`), cert)
}

beforeAll(async () => {
  folder = await testFolder()
  authority = await CertificateAuthority.make()
  await writeFile(join(folder.path, 'ca.pem'), authority.cert)
  for (const name of NODES) await place(name, 200)
  const file = (name: string) => join(folder.path, name)
  cluster = await Cluster.start({
    nodes: NODES,
    argsOf: (name) => [
      ...['--channel-host', 'localhost', '--channel-cert', file(`${name}.pem`)],
      ...['--channel-key', file(`${name}.key`), '--channel-ca', file('ca.pem')],
    ],
  })
  database = await testDatabase()
  await database.query(
    'create table item as select n as id, md5(n::text) as word from generate_series(1, 20000) n; alter table item add primary key (id)',
  )
  await cluster.postgresStore('shop', database)
  await cluster.client.gateways.set('demo', { policy: 'round-robin' })
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
  await folder?.[Symbol.asyncDispose]()
})

const logs = () => NODES.map((name) => cluster.node(name).process.log).join('\n')

/** All nodes call by it, take nothing else, and reach each other. */
async function turnTo(mode: 'mutual' | 'certificate' | 'off'): Promise<void> {
  const count = () =>
    NODES.map((name) => cluster.node(name).process.log.split(`"mode":"${mode}","msg":"the channel has changed its mode"`).length)
  const before = count()
  await cluster.client.gateways.set('demo', { channelEncryption: mode })
  await waitFor(`all nodes have changed to ${mode}`, count, (now) => now.every((times, index) => times > (before[index] ?? 0)), {
    timeoutMs: 40_000,
    everyMs: 100,
  })
  await cluster.allOnline()
}

test('mutual, certificate, off and mutual again: no task fails, no query fails, no node goes by the service’s link', async () => {
  const stop = new AbortController()
  /** With the reasons of what is not online. */
  const statuses = new Set<string>()
  const failed: string[] = []
  let queries = 0
  const asking = (async () => {
    while (!stop.signal.aborted) {
      await cluster.client.query('shop', { sql: 'select count(*) as n from item' }).then(
        async (answer) => {
          queries += (await answer.rows()).length
        },
        (cause: unknown) => {
          failed.push(String(cause))
        },
      )
      for (const { status, statusReasons } of await cluster.client.nodes.list('demo'))
        statuses.add(status === 'online' ? status : `${status}: ${statusReasons.join('; ')}`)
      await sleep(20)
    }
  })()
  const runs: RunView[] = []
  const copying = (async () => {
    for (let number = 0; !stop.signal.aborted; number += 1) {
      const run = await cluster.client.copy({ source: 'shop', sink: 'shop', from: 'item', to: `copy_${number}`, parts: 6 })
      runs.push(await cluster.ended(run.id))
    }
  })()

  for (const mode of ['certificate', 'off', 'mutual'] as const) await turnTo(mode)
  stop.abort()
  await Promise.all([asking, copying])

  expect(failed).toEqual([])
  expect(queries).toBeGreaterThan(20)
  expect(runs.length).toBeGreaterThan(2)
  expect(runs.filter(({ status }) => status !== 'succeeded')).toEqual([])
  const attempts = runs.flatMap(({ tasks }) => tasks.flatMap((task) => task.attempts))
  // A task that came back unbegun because all slots were taken has not failed.
  expect(attempts.filter(({ status }) => status === 'failed' || status === 'lost')).toEqual([])
  expect(new Set(attempts.map(({ node }) => node))).toEqual(new Set(NODES))
  expect(logs()).not.toContain('dispatching through the service')
  expect([...statuses]).toEqual(['online'])
})

test('a certificate that is about to expire is told of, a new file is taken up, and an expired one makes the channel limited', async () => {
  await turnTo('certificate')
  const n2 = () => cluster.client.nodes.get('demo', 'n2')

  await place('n2', 12)
  const warned = await waitFor('n2 says so', n2, ({ statusReasons }) => statusReasons.length > 0, { timeoutMs: 30_000 })
  expect(warned).toMatchObject({
    status: 'online',
    statusReasons: [expect.stringMatching(/certificate for the channel expires in 12 days/)],
  })

  await place('n2', -1)
  const limited = await waitFor('n2 is limited', n2, ({ status }) => status === 'limited', { timeoutMs: 40_000 })
  expect(limited.statusReasons.join('; ')).toMatch(/its channel does not work: its certificate for the channel has expired/)

  await place('n2', 100)
  await waitFor('n2 is well', n2, ({ status, statusReasons }) => status === 'online' && statusReasons.length === 0, { timeoutMs: 40_000 })
})

test('a node without a certificate says so, and the others go on with it as before', async () => {
  await turnTo('mutual')
  await using bare = await LocalNode.start({
    url: cluster.service.url,
    key: cluster.key,
    name: 'bare',
  })
  await waitFor(
    'bare is online',
    () => cluster.client.nodes.get('demo', 'bare'),
    ({ status }) => status === 'online',
  )

  await cluster.client.gateways.set('demo', { channelEncryption: 'certificate' })
  const view = await waitFor(
    'bare says why',
    () => cluster.client.nodes.get('demo', 'bare'),
    ({ status }) => status === 'inactive',
    { timeoutMs: 30_000 },
  )

  expect(view.statusReasons.join()).toMatch(/has not taken over the settings.*there is no certificate: start the node with --channel-cert/)
  for (const name of NODES) expect((await cluster.client.nodes.get('demo', name)).statusReasons).toEqual([])
  expect((await bare.status()).peers.map(({ fault }) => fault)).toEqual([null, null, null])
  await cluster.client.gateways.set('demo', { channelEncryption: 'mutual' })
  await bare.stop()
  await cluster.client.nodes.delete('demo', 'bare')
})
