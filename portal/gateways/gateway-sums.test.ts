import type { NodeView } from '@postern/protocol/api/gateways.ts'
import { expect, test } from 'vitest'
import { sumsOf } from './gateway-sums.ts'

const node = (status: NodeView['status']) =>
  ({
    status,
    cpuPercent: status === 'offline' ? 99 : 40,
    availableMemoryBytes: 1e9,
    totalMemoryBytes: 4e9,
    networkInBytesPerSecond: 10,
    networkOutBytesPerSecond: 1,
    runningJobs: 1,
    jobLimit: 4,
    runningQueries: 2,
    queryLimit: 64,
  }) as NodeView
const gateway = { id: 'gw_1', name: 'demo' } as unknown as Pick<Parameters<typeof sumsOf>[0], 'id' | 'name'>

test('what is away counts for nothing, and who takes no work offers no room', () => {
  expect(
    sumsOf({ ...gateway, nodes: [node('online'), node('draining'), node('offline')], queue: { tasks: 3, waitedMs: 500 } }),
  ).toMatchObject({
    ...{ nodes: 3, online: 1, live: true, cpuPercent: 40, availableMemoryBytes: 2e9, totalMemoryBytes: 8e9 },
    ...{ runningJobs: 2, jobLimit: 4, runningQueries: 4, queryLimit: 64, waitingTasks: 3, waitedMs: 500 },
  })
})

test('a gateway without a node that is there has no figures', () => {
  expect(sumsOf({ ...gateway, nodes: [] })).toMatchObject({ live: false, cpuPercent: 0, waitingTasks: 0 })
  expect(sumsOf({ ...gateway, nodes: [node('offline')] }).live).toBe(false)
})
