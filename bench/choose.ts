/**
 * What one choice costs, with 50 nodes, by each policy: pure work of one core, as each query does it.
 *
 *   npx node bench/choose.ts
 */
import { systemRandom } from '@postern/base/random.ts'
import type { NodeId } from '@postern/protocol/ids.ts'
import type { NodeFacts } from '@postern/service/nodes/node-facts.ts'
import { choose, type Policy } from '@postern/service/queries/choose.ts'
import { NodeHealth } from '@postern/service/queries/node-health.ts'
import { median } from './tools/compare.ts'

const NODES = 50
const CHOICES = 20_000
const ROUNDS = 7
const WANTED_US = 20

const health = new NodeHealth({ monotonic: () => performance.now() })
const nodes = Array.from({ length: NODES }, (_, at) => nodeOf(at))
for (const { id } of nodes) health.answered(id, 5 + Math.random() * 20)

console.log(`\nchoose: one choice among ${NODES} nodes, median of ${ROUNDS} rounds of ${CHOICES}`)
for (const policy of ['primary-first', 'random', 'round-robin', 'least-loaded'] satisfies Policy[]) {
  const rounds = Array.from({ length: ROUNDS }, () => microseconds(policy))
  console.log(`  ${policy.padEnd(14)}  ${median(rounds).toFixed(1).padStart(5)} µs   (wanted: at most ${WANTED_US} µs)`)
}

function microseconds(policy: Policy): number {
  const began = performance.now()
  for (let turn = 0; turn < CHOICES; turn += 1) {
    const parts = { nodes, policy, health, turn, random: systemRandom, sealed: true, labels: { site: 'berlin' } }
    choose({ ...parts, running: (node) => node.weight % 7 })
  }
  return ((performance.now() - began) * 1_000) / CHOICES
}

/** Some are full, some have other labels, as in real life. */
function nodeOf(at: number): NodeFacts {
  const beat = {
    cpuPercent: at,
    totalMemoryBytes: 100,
    availableMemoryBytes: 50,
    averages: { cpuPercent: at * 2, memoryPercent: 50, overSeconds: 300 },
  }
  const limits = { queryLimit: 64, cpuLimitPercent: 80, memoryLimitPercent: 90 }
  const marks = { weight: 1 + (at % 10), labels: { site: at % 10 === 9 ? 'bonn' : 'berlin' } }
  const known = { id: `n${at}` as NodeId, name: `node-${at}`, enabled: true, draining: false, isPrimary: at === 0, link: 'raw' as const }
  return {
    ...known,
    ...limits,
    ...marks,
    beat: { ...beat, hasGatewayKey: true },
    alive: () => true,
    linkAgeMs: () => 60_000,
  } as unknown as NodeFacts
}
