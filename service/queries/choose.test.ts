import type { NodeId } from '@postern/protocol/ids.ts'
import { SeededRandom } from '@postern/testkit/seeded-random.ts'
import { describe, expect, test } from 'vitest'
import type { NodeFacts } from '../nodes/node-facts.ts'
import { type ChooseParts, choose } from './choose.ts'

type Sketch = Partial<Omit<NodeFacts, 'alive' | 'linkAgeMs'>> & { readonly silent?: boolean; readonly linkAge?: number }

function node(name: string, sketch: Sketch = {}): NodeFacts {
  const { silent = false, linkAge = 60_000, ...facts } = sketch
  const known = {
    id: name as NodeId,
    name,
    enabled: true,
    draining: false,
    isPrimary: name === 'a',
    link: 'raw',
    linkedHere: true,
    queryLimit: 8,
    cpuLimitPercent: 0,
    memoryLimitPercent: 0,
    weight: 1,
    labels: {},
    beat: null,
  }
  return { ...known, alive: () => !silent, linkAgeMs: () => linkAge, ...facts } as NodeFacts
}

const choosing = (nodes: readonly NodeFacts[], more: Partial<ChooseParts> = {}) =>
  choose({ nodes, policy: 'primary-first', running: () => 0, turn: 0, random: new SeededRandom(1), sealed: false, ...more })

const names = (nodes: readonly NodeFacts[]) => nodes.map(({ name }) => name)

test('the primary answers first, the others stand by in the order of preference', () => {
  const choice = choosing([node('a'), node('b'), node('c')])

  expect(names(choice.order)).toEqual(['a', 'b', 'c'])
  expect(choice.considered).toEqual([
    { node: 'a', taken: true, reason: 'the primary' },
    { node: 'b', taken: false, reason: 'stands by' },
    { node: 'c', taken: false, reason: 'stands by' },
  ])
})

test.each([
  ['disabled', { enabled: false }, 'is disabled'],
  ['draining', { draining: true }, 'is draining'],
  ['without a link', { link: null }, 'has no link'],
  ['silent', { silent: true }, 'is silent: its beats do not come any more'],
  ['without the key', { beat: { hasGatewayKey: false } as NodeFacts['beat'] }, 'has not got the key of the gateway yet'],
] as const)('a node that is %s is never asked, and the reason is told', (_, sketch, reason) => {
  const choice = choosing([node('a', sketch), node('b')], { sealed: true })

  expect(names(choice.order)).toEqual(['b'])
  expect(choice.considered).toContainEqual({ node: 'a', taken: false, reason })
  expect(choice.limit).toBeNull()
})

test('a node whose link is younger than its first beat is asked', () => {
  expect(names(choosing([node('a', { silent: true, linkAge: 300 })]).order)).toEqual(['a'])
})

test('a node whose link lives though its beats do not come is asked before the query fails, and not before a limit is waited for', () => {
  const silent = node('a', { silent: true })

  expect(choosing([silent, node('b', { link: null })]).considered[0]).toEqual({
    node: 'a',
    taken: true,
    reason: 'the only one that can, though its beats do not come',
  })
  expect(choosing([silent, node('b', { queryLimit: 0 })])).toMatchObject({ order: [], limit: 'concurrency' })
})

test('a store without a credential needs no key', () => {
  expect(names(choosing([node('a', { beat: { hasGatewayKey: false } as NodeFacts['beat'] })]).order)).toEqual(['a'])
})

test('a node at its limit is passed over, and when all are, waiting helps', () => {
  const nodes = [node('a'), node('b', { queryLimit: 2 })]

  const one = choosing(nodes, { running: ({ name }) => (name === 'a' ? 8 : 1) })
  const none = choosing(nodes, { running: () => 8 })

  expect(names(one.order)).toEqual(['b'])
  expect(none).toMatchObject({ order: [], limit: 'concurrency' })
  expect(none.considered).toContainEqual({ node: 'b', taken: false, reason: 'is at its limit of 2 queries' })
})

test('a node that was tried is not asked again', () => {
  expect(names(choosing([node('a'), node('b')], { tried: new Set(['a']) }).order)).toEqual(['b'])
})

test('round-robin gives each node its turn', () => {
  const nodes = [node('a'), node('b'), node('c')]

  const firsts = [0, 1, 2, 3, 4].map((turn) => choosing(nodes, { policy: 'round-robin', turn }).order[0]?.name)

  expect(firsts).toEqual(['a', 'b', 'c', 'a', 'b'])
})

test('random spreads evenly (chi-squared over 10,000 draws)', () => {
  const nodes = ['a', 'b', 'c', 'd'].map((name) => node(name))
  const random = new SeededRandom(42)
  const draws = 10_000
  const seen = new Map<string, number>()

  for (let draw = 0; draw < draws; draw += 1) {
    const first = choosing(nodes, { policy: 'random', random }).order[0]?.name ?? ''
    seen.set(first, (seen.get(first) ?? 0) + 1)
  }

  const expected = draws / nodes.length
  const chiSquared = nodes.reduce((sum, { name }) => sum + ((seen.get(name) ?? 0) - expected) ** 2 / expected, 0)
  // 3 degrees of freedom: 16.27 is passed by chance once in a thousand seeds; this one is fixed.
  expect(chiSquared).toBeLessThan(16.27)
})

test('least-loaded never takes the fuller of the two it drew, and does not herd to the emptiest', () => {
  const nodes = ['a', 'b', 'c'].map((name) => node(name))
  const busy: Record<string, number> = { a: 7, b: 3, c: 0 }
  const random = new SeededRandom(7)
  const seen = new Map<string, number>()

  for (let draw = 0; draw < 3_000; draw += 1) {
    const first = choosing(nodes, { policy: 'least-loaded', random, running: ({ name }) => busy[name] ?? 0 }).order[0]?.name ?? ''
    seen.set(first, (seen.get(first) ?? 0) + 1)
  }

  expect(seen.get('a')).toBeUndefined()
  expect(seen.get('b')).toBeGreaterThan(800)
  expect(seen.get('c')).toBeGreaterThan(1_600)
})

test('a busy machine counts as fuller than an idle one with as many queries', () => {
  const nodes = [node('a', { beat: { cpuPercent: 95 } as NodeFacts['beat'] }), node('b', { beat: { cpuPercent: 5 } as NodeFacts['beat'] })]

  const choice = choosing(nodes, { policy: 'least-loaded', running: () => 2 })

  expect(names(choice.order)).toEqual(['b', 'a'])
})

const drawnOf = (nodes: readonly NodeFacts[], draws: number, more: Partial<ChooseParts>) => {
  const random = new SeededRandom(11)
  const seen: Record<string, number> = {}
  for (let turn = 0; turn < draws; turn += 1) {
    const first = choosing(nodes, { ...more, random, turn }).order[0]?.name ?? ''
    seen[first] = (seen[first] ?? 0) + 1
  }
  return seen
}

test('a node of weight 3 is drawn three times as often, and round-robin spreads its turns', () => {
  const nodes = [node('a'), node('b', { weight: 3 })]

  const drawn = drawnOf(nodes, 8_000, { policy: 'random' })
  const turns = [0, 1, 2, 3].map((turn) => choosing(nodes, { policy: 'round-robin', turn }).order[0]?.name)

  expect(drawn['b']).toBeGreaterThan(5_800)
  expect(drawn['b']).toBeLessThan(6_200)
  expect(turns.toSorted()).toEqual(['a', 'b', 'b', 'b'])
  expect(choosing(nodes, { policy: 'random' }).considered.find(({ taken }) => taken)?.reason).toMatch(/^drawn at random, by its weight of /)
})

test.each([[[2, 3]], [[1, 100]], [[5, 5, 7]], [[4, 6, 10]]])(
  'round-robin over weights %j gives each its share in each cycle',
  (weights) => {
    const nodes = weights.map((weight, at) => node(String.fromCharCode(97 + at), { weight }))
    const cycle = weights.reduce((sum, weight) => sum + weight, 0)

    const seen = drawnOf(nodes, cycle * 3, { policy: 'round-robin' })

    expect(
      Object.entries(seen)
        .toSorted()
        .map(([, count]) => count / 3),
    ).toEqual(weights)
  },
)

test('least-loaded counts time to the first byte, failures and weight as well as what is in flight', () => {
  const nodes = [node('a'), node('b')]
  const health = (of: Partial<Record<'latency' | 'failures', Record<string, number>>>) => ({
    latencyMs: (id: string) => of.latency?.[id],
    failures: (id: string) => of.failures?.[id] ?? 0,
  })
  const first = (more: Partial<ChooseParts>, of = nodes) => names(choosing(of, { policy: 'least-loaded', ...more }).order)[0]

  expect(first({ health: health({ latency: { a: 40, b: 10 } }) })).toBe('b')
  expect(first({ health: health({ latency: { a: 40, b: 10 } }), running: ({ name }) => (name === 'b' ? 9 : 0) })).toBe('a')
  expect(first({ health: health({ failures: { a: 1 } }) })).toBe('b')
  expect(first({ running: () => 2 }, [node('a'), node('b', { weight: 2 })])).toBe('b')
  // Nothing is known of b: it is taken to be as fast as a, and has less to do.
  expect(first({ health: health({ latency: { a: 500 } }), running: ({ name }) => (name === 'a' ? 1 : 0) })).toBe('b')
})

test('a node short of memory counts as fuller', () => {
  const beat = (availableMemoryBytes: number) => ({ cpuPercent: 0, totalMemoryBytes: 100, availableMemoryBytes }) as NodeFacts['beat']

  const choice = choosing([node('a', { beat: beat(2) }), node('b', { beat: beat(50) })], { policy: 'least-loaded' })

  expect(choice.considered[0]).toEqual({
    node: 'b',
    taken: true,
    reason: 'less loaded than a, of two drawn at random (0 in flight, no answer yet)',
  })
})

test('only nodes with the labels that the store requires are asked', () => {
  const choice = choosing([node('a'), node('b', { labels: { site: 'berlin', disk: 'ssd' } })], { labels: { site: 'berlin' } })

  expect(names(choice.order)).toEqual(['b'])
  expect(choice.considered).toContainEqual({ node: 'a', taken: false, reason: 'lacks the label site=berlin that the store requires' })
  expect(choosing([node('a')], { labels: { site: 'berlin' } })).toMatchObject({ order: [], limit: null })
})

describe('limits on averages', () => {
  const averages = { cpuPercent: 85, memoryPercent: 40, overSeconds: 300 }
  const beat = { averages, cpuPercent: 1 } as NodeFacts['beat']

  test('a node whose average has reached its limit is passed over, with the figures', () => {
    const choice = choosing([node('a', { beat, cpuLimitPercent: 80 }), node('b', { beat, memoryLimitPercent: 40 }), node('c', { beat })])

    expect(names(choice.order)).toEqual(['c'])
    expect(choice.considered.slice(1)).toEqual([
      { node: 'a', taken: false, reason: 'is at its CPU limit of 80 %: 85 %, averaged over 300 s' },
      { node: 'b', taken: false, reason: 'is at its memory limit of 40 %: 40 %, averaged over 300 s' },
    ])
  })

  test('the fault names the limit that keeps most nodes', () => {
    const cpu = () => node('a', { beat, cpuLimitPercent: 80 })
    const memory = () => node('b', { beat, memoryLimitPercent: 30 })
    const concurrency = () => node('c', { queryLimit: 0 })

    expect(choosing([cpu(), memory()]).limit).toBe('CPU')
    expect(choosing([cpu(), memory(), memory()]).limit).toBe('memory')
    expect(choosing([concurrency(), cpu(), concurrency()]).limit).toBe('concurrency')
    expect(choosing([cpu(), node('d', { enabled: false })]).limit).toBe('CPU')
    expect(choosing([node('d', { enabled: false })]).limit).toBeNull()
  })

  test('what takes no place on a node is not held against them', () => {
    expect(names(choosing([node('a', { beat, cpuLimitPercent: 80, queryLimit: 0 })], { unlimited: true }).order)).toEqual(['a'])
  })

  test('a node that has not said its averages is held against nothing', () => {
    expect(names(choosing([node('a', { beat: { cpuPercent: 99 } as NodeFacts['beat'], cpuLimitPercent: 10 })]).order)).toEqual(['a'])
  })
})

test('of two nodes that are as loaded as each other, the one that is linked to this replica answers', () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const nodes = [node('a', { linkedHere: false }), node('b')]
    const { order, considered } = choosing(nodes, { policy: 'least-loaded', random: new SeededRandom(seed) })

    expect(order[0]?.name).toBe('b')
    expect(considered[0]?.reason).toMatch(/^as loaded as a, but linked to this replica, of two drawn at random/)
  }
})

test('a node that is linked to this replica is not chosen for that when it is busier', () => {
  const running = (one: NodeFacts) => (one.name === 'b' ? 1 : 0)

  expect(choosing([node('a', { linkedHere: false }), node('b')], { policy: 'least-loaded', running }).order[0]?.name).toBe('a')
})
