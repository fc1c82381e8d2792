/** Copies spread over the nodes as they are: slots changed live, a node that is added, a node that is slow. */
import type { RunView } from '@postern/protocol/api/runs.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { CopyRig, story } from './copy-rig.ts'
import { waitFor } from './wait-for.ts'

const SHORT_MS = 60_000
/** Each connection to the source reads so much: what runs at a time decides how fast a copy is. */
const BYTES_PER_SECOND = 150_000

let cluster: Cluster

beforeAll(async () => {
  cluster = await Cluster.start({ nodes: ['n1'] })
  await cluster.client.gateways.set(cluster.gateway, { jobConcurrency: 1 })
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
})

const running = ({ tasks }: RunView) => tasks.filter((task) => task.kind === 'part' && task.status === 'running').length
const doneBy = ({ tasks }: RunView, node: string) =>
  tasks.filter((task) => task.kind === 'part' && task.status === 'succeeded' && task.node === node).length
const until = (run: RunView, what: string, holds: (seen: RunView) => boolean) =>
  waitFor(what, () => cluster.client.runs.get(run.id), holds, { timeoutMs: SHORT_MS, everyMs: 50 })

test('more slots and fewer slots count at once, and a node that is added takes from what waits', { timeout: 240_000 }, async () => {
  await using rig = await CopyRig.make(cluster, { bytesPerSecond: BYTES_PER_SECOND, rows: 40_000 })
  const { source, target } = rig.names
  const run = await cluster.startCopy({ source, sink: target, from: 'orders', to: 'orders', parts: 40, verify: 'checksum' })
  const queued = await until(run, 'one part moves and the others wait', (seen) => running(seen) === 1 && seen.queuedTasks > 0)
  expect(queued.hint).toContain('jobConcurrency')
  // The queue is looked at twice a second.
  await waitFor(
    'the gateway shows its queue',
    () => cluster.cli(['gateway', 'show', cluster.gateway]),
    ({ stdout }) => /queue +\d+ tasks of copies/.test(stdout),
    { timeoutMs: SHORT_MS },
  )

  await cluster.client.gateways.set(cluster.gateway, { jobConcurrency: 3 })
  await until(run, 'three parts move', (seen) => running(seen) === 3)
  await cluster.client.gateways.set(cluster.gateway, { jobConcurrency: 1 })
  await until(run, 'one part moves again', (seen) => running(seen) === 1)
  await cluster.addNode('n2')
  await until(run, 'the new node has moved a part', (seen) => doneBy(seen, 'n2') > 0 && running(seen) === 2)
  rig.link.heal()
  const ended = await cluster.ended(run.id)

  expect(ended.status, story(ended)).toBe('succeeded')
  expect(ended.nodes.map(({ node }) => node)).toEqual(['n1', 'n2'])
  expect(await CopyRig.fingerprint(rig.target)).toEqual(await CopyRig.fingerprint(rig.source))
})

test('a node that is ten times slower does not hold up the end: the other takes what it has not begun', { timeout: 240_000 }, async () => {
  await using rig = await CopyRig.make(cluster, { bytesPerSecond: BYTES_PER_SECOND, rows: 20_000 })
  const { source, target } = rig.names
  await cluster.allOnline()
  const slow = (await cluster.dispatcher()) === 'n1' ? 'n2' : 'n1'
  let going = true
  const node = cluster.node(slow)
  // Runs a tenth of the time.
  const throttled = (async () => {
    while (going) {
      node.pause()
      await new Promise((resolve) => setTimeout(resolve, 450))
      node.resume()
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })()

  let run: RunView
  try {
    run = await cluster.ended(
      (await cluster.client.copy({ source, sink: target, from: 'orders', to: 'orders', parts: 24, verify: 'checksum' })).id,
    )
  } finally {
    going = false
    await throttled
  }

  expect(run.status, story(run)).toBe('succeeded')
  const fast = slow === 'n1' ? 'n2' : 'n1'
  expect(doneBy(run, fast), story(run)).toBeGreaterThan(doneBy(run, slow))
  expect(await CopyRig.fingerprint(rig.target)).toEqual(await CopyRig.fingerprint(rig.source))
})
