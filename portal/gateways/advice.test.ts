import { expect, test } from 'vitest'
import { adviceFor } from './advice.ts'

const node = {
  name: 'n1',
  isPrimary: false,
  status: 'online' as const,
  cpuPercent: 10,
  averages: null,
  availableMemoryBytes: 8e9,
  totalMemoryBytes: 16e9,
  runningJobs: 0,
  jobLimit: 4,
}
const hot = { ...node, cpuPercent: 95, availableMemoryBytes: 1.6e9 }
const full = { ...node, runningJobs: 4 }
const settings = { policy: 'least-loaded' } as const

test('memory low and CPU high on every node: add a node', () => {
  expect(adviceFor({ settings, nodes: [hot, hot] })).toEqual([
    {
      text: 'Memory is low and CPU is high on every node (95 % CPU, 10 % of the memory free, on average): add a node, on another machine.',
    },
  ])
  expect(adviceFor({ settings, nodes: [hot, node] })).toEqual([])
})

test('tasks wait while nodes are idle: raise the concurrent jobs', () => {
  expect(adviceFor({ settings, nodes: [full, full], queue: { tasks: 3, waitedMs: 12_000 } })).toEqual([
    { setting: 'jobConcurrency', text: expect.stringMatching(/^3 copy tasks wait, the first for 12\.0 s, .* 8 a node\.$/) },
  ])
  expect(adviceFor({ settings, nodes: [full, node], queue: { tasks: 3, waitedMs: 100 } })).toEqual([])
  expect(adviceFor({ settings, nodes: [full, full], queue: { tasks: 0, waitedMs: 0 } })).toEqual([])
})

test('the primary alone is busy: another policy spreads the queries', () => {
  const primary = { ...node, isPrimary: true, cpuPercent: 91 }
  expect(adviceFor({ settings: { policy: 'primary-first' }, nodes: [primary, node] })).toEqual([
    { setting: 'policy', text: expect.stringContaining('n1, which takes queries first, is at 91 % CPU while no other node is above 10 %') },
  ])
  expect(adviceFor({ settings, nodes: [primary, node] })).toEqual([])
})

test('the average of the window counts where there is one', () => {
  const calm = { ...hot, averages: { cpuPercent: 20, memoryPercent: 90, overSeconds: 300 } }
  expect(adviceFor({ settings, nodes: [calm, calm] })).toEqual([])
})

test('one node alone is a risk, and nodes that are away give no advice', () => {
  expect(adviceFor({ settings, nodes: [node] })).toEqual([{ text: expect.stringContaining('second one') }])
  expect(adviceFor({ settings, nodes: [node, { ...node, status: 'draining' as const }] })).toEqual([])
  expect(adviceFor({ settings, nodes: [{ ...node, status: 'offline' as const }] })).toEqual([])
})
