/** What a bad network does between a node and the service: the node comes back by itself, and meanwhile the other one works. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { CopyRig, story } from './copy-rig.ts'
import { FlakyLink } from './flaky-link.ts'
import { waitFor } from './wait-for.ts'

let cluster: Cluster
let link: FlakyLink
let rig: CopyRig

beforeAll(async () => {
  cluster = await Cluster.start({
    urlOf: async (service, node) => {
      if (node !== 'n2') return service.url
      link = await FlakyLink.to(service)
      return `http://127.0.0.1:${link.port}`
    },
  })
  rig = await CopyRig.make(cluster, { rows: 30_000 })
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await link?.[Symbol.asyncDispose]()
  await rig?.[Symbol.asyncDispose]()
})

const FAULTS = [
  ['is cut', () => link.cut()],
  ['stalls', () => link.stall()],
  ['is half open', () => link.halfOpen()],
] as const

test.each(FAULTS)('a node whose link %s is seen to be offline, queries go on, and it comes back', async (_, fault) => {
  await cluster.allOnline()

  fault()
  const seen = await waitFor(
    'n2 is not online',
    () => cluster.client.nodes.get(cluster.gateway, 'n2'),
    (node) => node.status !== 'online',
    { timeoutMs: 20_000 },
  )
  expect(seen.statusReasons.join()).not.toBe('')
  for (let n = 0; n < 5; n += 1) {
    const result = await cluster.client.query(rig.names.source, { sql: `select ${n} as n` })
    expect(await result.rows()).toEqual([{ n }])
  }

  link.heal()
  await cluster.allOnline()
})

test.each(FAULTS)('a copy goes on when the link of a node %s in the middle of it', async (_, fault) => {
  await cluster.allOnline()
  await using slow = await CopyRig.make(cluster, { rows: 30_000, bytesPerSecond: 400_000 })
  const { source, target } = slow.names
  const run = await cluster.startCopy({ source, sink: target, from: 'orders', to: 'orders', parts: 12, verify: 'checksum' })

  fault()
  slow.link.heal()
  const ended = await cluster.ended(run.id)
  link.heal()

  expect(ended.status, `${story(ended)}\n${cluster.warnings}`).toBe('succeeded')
  expect(await CopyRig.fingerprint(slow.target)).toEqual(await CopyRig.fingerprint(slow.source))
  await cluster.allOnline()
})

test('a node that hangs and wakes up again does no harm', async () => {
  await cluster.allOnline()
  await using slow = await CopyRig.make(cluster, { rows: 30_000, bytesPerSecond: 400_000 })
  const { source, target } = slow.names
  const run = await cluster.startCopy({ source, sink: target, from: 'orders', to: 'orders', parts: 12, verify: 'checksum' })

  cluster.node('n2').pause()
  await waitFor(
    'n2 is given up',
    () => cluster.client.nodes.get(cluster.gateway, 'n2'),
    (node) => node.status === 'offline',
    { timeoutMs: 20_000 },
  )
  cluster.node('n2').resume()
  slow.link.heal()

  const ended = await cluster.ended(run.id)
  expect(ended.status, `${story(ended)}\n${cluster.warnings}`).toBe('succeeded')
  expect(await CopyRig.fingerprint(slow.target)).toEqual(await CopyRig.fingerprint(slow.source))
  await cluster.allOnline()
})
