import type { NodeId } from '@postern/protocol/ids.ts'
import { expect, test } from 'vitest'
import { chooseWorkers, freeSlots, type WorkerLoad } from './choose-worker.ts'

const worker = (node: string, load: Partial<WorkerLoad>): WorkerLoad => ({
  node: node as NodeId,
  running: 0,
  assigned: 0,
  limit: 4,
  cpuPercent: 0,
  ...load,
})
const order = (workers: readonly WorkerLoad[]) => chooseWorkers(workers).map(({ node }) => node)

test('the worker with the smallest share of its slots in use comes first', () => {
  expect(order([worker('a', { running: 2 }), worker('b', { running: 3, limit: 8 }), worker('c', { running: 3 })])).toEqual(['b', 'a', 'c'])
})

test('what was handed over counts as running', () => {
  expect(order([worker('a', { assigned: 2 }), worker('b', { running: 1 })])).toEqual(['b', 'a'])
})

test('of equally loaded workers the one with the idler CPU comes first, then it is one order', () => {
  expect(order([worker('c', { cpuPercent: 50 }), worker('b', { cpuPercent: 10 }), worker('a', { cpuPercent: 50 })])).toEqual([
    'b',
    'a',
    'c',
  ])
})

test('full workers, and those that may run nothing, are not chosen', () => {
  expect(order([worker('a', { running: 3, assigned: 1 }), worker('b', { limit: 0 })])).toEqual([])
  expect(freeSlots(worker('a', { running: 5 }))).toBe(0)
})
