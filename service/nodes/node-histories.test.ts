import { silentLog } from '@postern/base/log.ts'
import type { Beat } from '@postern/protocol/node-api.ts'
import { expect, test } from 'vitest'
import type { NodeDirectory } from './node-directory.ts'
import type { NodeFacts } from './node-facts.ts'
import { NodeHistories } from './node-histories.ts'

const node = (id: string, cpuPercent: number, alive = true) => {
  const beat: Partial<Beat> = {
    cpuPercent,
    availableMemoryBytes: 8_000_000_000,
    networkInBytesPerSecond: 10,
    networkOutBytesPerSecond: 20,
    running: [],
    runningQueries: 3,
  }
  return { id, beat, alive: () => alive } as unknown as NodeFacts
}

/** What a service knows, as far as a history asks. */
class Known {
  nodes: readonly NodeFacts[] = []
  time = 0
  readonly histories = new NodeHistories({
    nodes: {
      gateways: () => [{ id: 'gw_1' }] as unknown as ReturnType<NodeDirectory['gateways']>,
      nodesOf: () => this.nodes,
    },
    clock: { now: () => this.time, monotonic: () => this.time, sleep: () => Promise.resolve() },
    log: silentLog,
  })

  sample(...nodes: readonly NodeFacts[]): void {
    this.nodes = nodes
    this.time += 5_000
    this.histories.sample()
  }
}

const one = node('nd_1', 12.34)
const two = node('nd_2', 50)

test('each node has the samples since it came, oldest first', () => {
  const known = new Known()
  known.sample(one)
  known.sample(node('nd_1', 99), two)

  expect(known.histories.of(one.id)).toMatchObject({
    everyMs: 5_000,
    at: [5_000, 10_000],
    cpuPercent: [12.3, 99],
    availableMemoryBytes: [8_000_000_000, 8_000_000_000],
    runningJobs: [0, 0],
    runningQueries: [3, 3],
  })
  expect(known.histories.of(two.id)).toMatchObject({ at: [10_000], cpuPercent: [50] })
})

test('while a node is away there is nothing, and a gap is not a nought', () => {
  const known = new Known()
  known.sample(one)
  known.sample(node('nd_1', 5, false))
  expect(known.histories.of(one.id).cpuPercent).toEqual([12.3, null])
})

test('an hour is kept and no more', () => {
  const known = new Known()
  for (let round = 0; round < 1_000; round += 1) known.sample(node('nd_1', round % 100))
  const { at, cpuPercent } = known.histories.of(one.id)
  expect(at).toHaveLength(720)
  expect([at[0], at.at(-1)]).toEqual([281 * 5_000, 1_000 * 5_000])
  expect([cpuPercent[0], cpuPercent.at(-1)]).toEqual([80, 99])
})

test('of the newest samples there are as many as are wanted, or as there are', () => {
  const known = new Known()
  for (let round = 0; round < 800; round += 1) known.sample(node('nd_1', round % 100))
  known.sample(node('nd_1', 7, false), two)

  expect(known.histories.newestOf(one.id, 3).cpuPercent).toEqual([98, 99, null])
  expect(known.histories.newestOf(two.id, 3).cpuPercent).toEqual([50])
  expect(known.histories.newestOf(one.id, 10_000).cpuPercent).toHaveLength(720)
})

test('what was deleted is forgotten, and who is unknown has an empty history', () => {
  const known = new Known()
  known.sample(one, two)
  known.sample(two)
  expect(known.histories.of(one.id).at).toEqual([])
  known.sample(one, two)
  expect(known.histories.of(one.id).at).toEqual([15_000])
})

test('two thousand nodes have a history, those beyond none', () => {
  const known = new Known()
  const nodes = Array.from({ length: 2_001 }, (_, index) => node(`nd_${index}`, index % 100))
  known.sample(...nodes)
  expect(known.histories.of(nodes[1_999]?.id ?? one.id).at).toHaveLength(1)
  expect(known.histories.of(nodes[2_000]?.id ?? one.id).at).toHaveLength(0)
})
