import { expect, test } from 'vitest'
import { type Bottleneck, hintOf, runPace, taskPace } from './run-figures.ts'
import type { AttemptRecord, RunRecord, TaskRecord } from './run-record.ts'

const NOW = 100_000
const part = (more: Partial<TaskRecord>) =>
  ({ id: 't', kind: 'part', status: 'running', estimatedRows: 100, rowsRead: 0, rowsWritten: 0, bytesWritten: 0, ...more }) as TaskRecord
const attempt = (from: number, to: number | null, taskId = 't') =>
  ({ taskId, node: 'a', startedAt: new Date(from), endedAt: to === null ? null : new Date(to) }) as AttemptRecord

test('a part is never shown as complete before it has succeeded, however wrong the estimate was', () => {
  const shareOf = (task: TaskRecord) => taskPace(task, [], NOW).share

  expect(shareOf(part({ rowsRead: 250 }))).toBe(0.99)
  expect(shareOf(part({ rowsRead: 50 }))).toBe(0.5)
  expect(shareOf(part({ estimatedRows: null }))).toBeNull()
  expect(shareOf(part({ status: 'ready' }))).toBe(0)
  expect(shareOf(part({ status: 'succeeded' as const, estimatedRows: null }))).toBe(1)
})

test('the pace of a part is that of its last attempt, and the time left follows from it', () => {
  const pace = taskPace(part({ rowsWritten: 25, bytesWritten: 2_500 }), [attempt(0, 1_000), attempt(NOW - 5_000, null)], NOW)

  expect(pace).toEqual({ rowsPerSecond: 5, bytesPerSecond: 500, share: 0.25, etaMs: 15_000 })
})

test('the share of a run weighs its parts by their rows, and says nothing before there are parts', () => {
  const run = { status: 'running', rowsWritten: 100, bytesWritten: 0 } as RunRecord
  const parts = [
    part({ id: 'a' as TaskRecord['id'], status: 'succeeded', estimatedRows: 300 }),
    part({ id: 'b' as TaskRecord['id'], status: 'ready' }),
  ]

  expect(runPace(run, [], [], NOW).share).toBeNull()
  expect(runPace(run, parts, [attempt(NOW - 3_000, NOW, 'a')], NOW)).toMatchObject({ share: 0.75, etaMs: 1_000 })
})

const facts = (more: Partial<Bottleneck>): Bottleneck => ({
  times: { queueMs: 0, firstByteMs: 10, readMs: 10, writeMs: 10, commitMs: 10 },
  queuedTasks: 0,
  runningParts: 2,
  parallel: undefined,
  pace: { rowsPerSecond: 100, bytesPerSecond: 1_000 },
  limits: {},
  pinnedAway: null,
  over: false,
  ...more,
})
const times = (more: Partial<Bottleneck['times']>) => ({ queueMs: 0, firstByteMs: 100, readMs: 100, writeMs: 100, commitMs: 100, ...more })

test.each([
  ['nothing', {}, null],
  ['a node that is away', { pinnedAway: 'n7' }, 'pinned to node n7'],
  ['a limit', { limits: { rowsPerSecond: 110 } }, 'limit of 110 rows/s'],
  ['too few slots', { queuedTasks: 4 }, 'jobConcurrency'],
  ['its own degree of parallelism', { queuedTasks: 4, parallel: 2 }, 'let more'],
  ['the source', { times: times({ readMs: 9_000 }) }, 'The source is the bottleneck'],
  ['the target', { times: times({ writeMs: 9_000 }) }, 'The target is the bottleneck'],
  ['commits', { times: times({ commitMs: 9_000 }) }, 'Commits take'],
  ['a slow start of the source', { times: times({ firstByteMs: 9_000 }) }, 'slow to begin'],
  ['nothing where nothing took long', { times: times({ readMs: 1, writeMs: 1, firstByteMs: 1 }) }, null],
] as const)('what holds a run up: %s', (_, more, says) => {
  const hint = hintOf(facts(more as Partial<Bottleneck>))

  if (says === null) expect(hint).toBeNull()
  else expect(hint).toContain(says)
})
