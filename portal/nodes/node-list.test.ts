import { expect, test } from 'vitest'
import { matchingNodes, nextSort, readNodeSearch, sortedNodes } from './node-list.ts'

const node = (name: string, more: object = {}) => ({
  name,
  status: 'online' as const,
  version: '0.1.0',
  role: 'worker' as const,
  labels: {} as Record<string, string>,
  credentialStatus: 'in-sync',
  availableMemoryBytes: 1,
  cpuPercent: 1,
  networkInBytesPerSecond: 0,
  networkOutBytesPerSecond: 0,
  runningJobs: 0,
  runningQueries: 0,
  ...more,
})
const NODES = [
  node('rack-10', { cpuPercent: 90, labels: { site: 'berlin' } }),
  node('rack-2', { cpuPercent: 5, status: 'limited' }),
  node('rack-1', { cpuPercent: 50, role: 'dispatcher' }),
]
const names = (nodes: readonly { readonly name: string }[]) => nodes.map(({ name }) => name)

test('what the address says is taken as far as it has a meaning', () => {
  expect(readNodeSearch({ find: 12, status: 'trouble', sort: '-cpu' })).toEqual({ find: '12', status: 'trouble', sort: '-cpu' })
  expect(readNodeSearch({ find: '', status: 'ill', sort: 'age' })).toEqual({ find: undefined, status: undefined, sort: undefined })
})

test('a node is found by name, role, version and labels', () => {
  expect(names(matchingNodes(NODES, { find: 'BERLIN rack' }))).toEqual(['rack-10'])
  expect(names(matchingNodes(NODES, { find: 'dispatcher' }))).toEqual(['rack-1'])
  expect(names(matchingNodes(NODES, {}))).toEqual(['rack-10', 'rack-2', 'rack-1'])
})

test('what is in trouble is whatever is not online', () => {
  expect(names(matchingNodes(NODES, { status: 'trouble' }))).toEqual(['rack-2'])
  expect(names(matchingNodes(NODES, { status: 'online' }))).toEqual(['rack-10', 'rack-1'])
})

test('names are sorted as people count, statuses by what needs somebody first', () => {
  expect(names(sortedNodes(NODES, 'name'))).toEqual(['rack-1', 'rack-2', 'rack-10'])
  expect(names(sortedNodes(NODES, '-cpu'))).toEqual(['rack-10', 'rack-1', 'rack-2'])
  expect(names(sortedNodes(NODES, 'status'))).toEqual(['rack-2', 'rack-1', 'rack-10'])
  expect(names(sortedNodes(NODES, undefined))).toEqual(names(NODES))
})

test('a head that is pressed again turns the order, and at last gives it back', () => {
  expect([nextSort(undefined, 'cpu'), nextSort('-cpu', 'cpu'), nextSort('cpu', 'cpu')]).toEqual(['-cpu', 'cpu', undefined])
  expect([nextSort('-cpu', 'name'), nextSort('name', 'name'), nextSort('-name', 'name')]).toEqual(['name', '-name', undefined])
})
