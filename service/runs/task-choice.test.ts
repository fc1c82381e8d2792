import type { NodeId, RunId, StoreId, TaskId } from '@postern/protocol/ids.ts'
import { expect, test } from 'vitest'
import { type Candidate, chooseTasks, type Room } from './task-choice.ts'

const task = (name: string, more: Partial<Candidate> = {}): Candidate => ({
  id: name as TaskId,
  run: (name.split('.')[0] ?? '') as RunId,
  kind: 'part',
  place: Number(name.split('.')[1] ?? 0),
  pin: null,
  source: 'shop' as StoreId,
  sink: 'lake' as StoreId,
  running: 0,
  runningParts: 0,
  parallel: null,
  askedAt: 0,
  ...more,
})
const room = (more: Partial<Room> = {}): Room => ({ max: 100, free: undefined, stores: new Map(), plans: 100, ...more })
const chosen = (candidates: readonly Candidate[], given: Partial<Room> = {}) =>
  chooseTasks(candidates, room(given)).map(({ id }) => id as string)
const many = (run: string, count: number, more: Partial<Candidate> = {}) =>
  Array.from({ length: count }, (_, index) => task(`${run}.${index + 1}`, more))

test('a run of 5,000 tasks does not starve one of two', () => {
  const small = many('small', 2, { askedAt: 9 })

  expect(chosen([...many('big', 5_000), ...small], { max: 4 })).toEqual(['big.1', 'small.1', 'big.2', 'small.2'])
  // With one slot: who has handed out fewer.
  expect(chosen([...many('big', 5_000).slice(1), ...small], { max: 1 })).toEqual(['small.1'])
})

test('what others wait for goes first, and what runs already counts', () => {
  const going = many('big', 3, { running: 5, runningParts: 5 })

  expect(
    chosen([...going, task('new.0', { kind: 'plan', askedAt: 9 }), task('old.11000', { kind: 'finish', running: 7 })], { max: 2 }),
  ).toEqual(['old.11000', 'new.0'])
})

test('of many small copies the oldest are ended before the next are begun', () => {
  const plans = Array.from({ length: 5 }, (_, index) => task(`r${index}.0`, { kind: 'plan', askedAt: index + 10 }))

  expect(chosen([...plans, task('first.1', { askedAt: 1 })], { max: 2 })).toEqual(['r0.0', 'r1.0'])
  expect(chosen([...plans.slice(2), task('first.1', { askedAt: 1 })], { max: 9, plans: 1 })).toEqual(['r2.0', 'first.1'])
})

test('no more parts of a run move than it may', () => {
  expect(chosen(many('run', 10, { parallel: 3, running: 2, runningParts: 2 }))).toEqual(['run.1'])
  expect(chosen(many('run', 10, { parallel: 3, running: 3, runningParts: 3 }))).toEqual([])
})

test('what is pinned takes no more than the free slots of its node, and holds up nothing else', () => {
  const pinned = many('pinned', 5, { pin: 'n2' as NodeId })
  const free = new Map([
    ['n1' as NodeId, 2],
    ['n2' as NodeId, 1],
  ])

  expect(chosen([...pinned, ...many('other', 5, { askedAt: 9 })], { max: 3, free })).toEqual(['pinned.1', 'other.1', 'other.2'])
  expect(chosen(pinned, { max: 3, free: new Map([['n1' as NodeId, 3]]) })).toEqual([])
})

test('a store has no more tasks at a time than it allows, over all runs', () => {
  const stores = new Map([['shop' as StoreId, 1]])
  const elsewhere = many('b', 2, { source: 'crm' as StoreId, askedAt: 5 })

  expect(chosen([...many('a', 2), ...elsewhere], { stores })).toEqual(['a.1', 'b.1', 'b.2'])
})
