import { expect, test } from 'vitest'
import { adviceFor } from './advice.ts'

const node = {
  status: 'online' as const,
  cpuPercent: 10,
  averages: null,
  availableMemoryBytes: 8e9,
  totalMemoryBytes: 16e9,
  runningJobs: 0,
  jobLimit: 2,
}
const hot = { ...node, cpuPercent: 95, availableMemoryBytes: 1e9 }
const full = { ...node, runningJobs: 2 }

test('memory low and CPU high on every node: add a node', () => {
  expect(adviceFor({ nodes: [hot, hot] })).toEqual([expect.stringContaining('add a node')])
  expect(adviceFor({ nodes: [hot, node] })).toEqual([])
})

test('tasks wait while nodes are idle: raise the concurrent jobs', () => {
  expect(adviceFor({ nodes: [full, full], queue: { tasks: 3, waitedMs: 100 } })).toEqual([expect.stringContaining('jobConcurrency')])
  expect(adviceFor({ nodes: [full, node], queue: { tasks: 3, waitedMs: 100 } })).toEqual([])
  expect(adviceFor({ nodes: [full, full], queue: { tasks: 0, waitedMs: 0 } })).toEqual([])
})

test('the average of the window counts where there is one', () => {
  const calm = { ...hot, averages: { cpuPercent: 20, memoryPercent: 90, overSeconds: 300 } }
  expect(adviceFor({ nodes: [calm, calm] })).toEqual([])
})

test('one node alone is a risk, and nodes that are away give no advice', () => {
  expect(adviceFor({ nodes: [node] })).toEqual([expect.stringContaining('second one')])
  expect(adviceFor({ nodes: [{ ...node, status: 'offline' }] })).toEqual([])
})
