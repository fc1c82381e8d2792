import { readFile } from 'node:fs/promises'
import { AttemptView, TaskKind as Kind, RunStatus, TaskStatus as Status } from '@postern/protocol/api/runs.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { expect, test } from 'vitest'
import { type AttemptEnd, afterFailure } from './task-retry.ts'
import { nextTaskStatus, sourcesOf, TASK_MOVES, type TaskEvent, type TaskStatus, targetOf } from './task-status.ts'

const ALL = Object.keys(TASK_MOVES) as TaskStatus[]
const EVENTS = [...new Set(ALL.flatMap((status) => Object.keys(TASK_MOVES[status])))] as TaskEvent[]

test('every status can be reached from waiting', () => {
  const reached = new Set<TaskStatus>(['waiting'])
  for (const status of reached) for (const to of Object.values(TASK_MOVES[status])) reached.add(to)

  expect([...reached].sort()).toEqual([...ALL].sort())
})

test('only a repair leads out of succeeded, and only a rerun out of failed and cancelled', () => {
  expect(EVENTS.filter((event) => nextTaskStatus('succeeded', event))).toEqual(['reopen'])
  expect(EVENTS.filter((event) => nextTaskStatus('failed', event))).toEqual(['rerun', 'rerunLater'])
  expect(EVENTS.filter((event) => nextTaskStatus('cancelled', event))).toEqual(['rerun', 'rerunLater'])
})

test('an event leads to one status only, wherever it comes from', () => {
  for (const event of EVENTS) {
    const targets = new Set(sourcesOf(event).map((from) => nextTaskStatus(from, event)))
    expect([event, [...targets]]).toEqual([event, [targetOf(event)]])
  }
})

test('the tables allow the same names as the code', async () => {
  const texts = await Promise.all(
    ['0006-runs', '0020-run-queue'].map((name) => readFile(new URL(`../db/migrations/${name}.sql`, import.meta.url), 'utf8')),
  )
  const sql = texts.join('\n')
  const namesOf = (rule: string) =>
    [...([...sql.matchAll(new RegExp(`${rule}\\s+check \\(\\w+ in \\(([^)]+)\\)`, 'g'))].at(-1)?.[1] ?? '').matchAll(/'(\w+)'/g)].map(
      ([, name]) => name,
    )

  expect(namesOf('task_status_known')).toEqual(Status.options)
  expect(namesOf('task_status_known').toSorted()).toEqual([...ALL].sort())
  expect(namesOf('task_kind_known')).toEqual(Kind.options)
  expect(namesOf('run_status_known')).toEqual(RunStatus.options)
  expect(namesOf('attempt_status_known')).toEqual(AttemptView.shape.status.options)
})

const end = (fault: Fault, more: Partial<AttemptEnd> = {}): AttemptEnd => ({
  kind: 'part',
  failures: 0,
  returns: 0,
  retries: 3,
  snapshots: 0,
  outdated: false,
  fault,
  fraction: 0.5,
  ...more,
})

test('a fault that can pass is tried again with growing waits, and ends the task at the last attempt', () => {
  const verdicts = Array.from({ length: 4 }, (_, failures) => afterFailure(end(new Fault('STORE_UNREACHABLE'), { failures })))

  expect(verdicts.map(({ is }) => is)).toEqual(['again', 'again', 'again', 'fail'])
  const waits = verdicts.flatMap((verdict) => (verdict.is === 'again' ? [verdict.delayMs] : []))
  expect(waits).toEqual([300, 600, 1_200])
})

test('a copy may ask for fewer retries, or none', () => {
  expect(afterFailure(end(new Fault('STORE_UNREACHABLE'), { retries: 0 }))).toEqual({ is: 'fail' })
  expect(afterFailure(end(new Fault('STORE_UNREACHABLE'), { retries: 1 }))).toMatchObject({ is: 'again', counts: true })
  expect(afterFailure(end(new Fault('STORE_UNREACHABLE'), { retries: 1, failures: 1 }))).toEqual({ is: 'fail' })
})

test('a store without a free connection is asked again later, and that does not count', () => {
  expect(afterFailure(end(new Fault('STORE_BUSY'), { retries: 0 }))).toMatchObject({ is: 'again', counts: false })
})

test('a fault that cannot pass ends the task at once', () => {
  expect(afterFailure(end(new Fault('TABLE_MISSING')))).toEqual({ is: 'fail' })
  expect(afterFailure(end(new Fault('ROW_INVALID')))).toEqual({ is: 'fail' })
})

test('what a stopping node hands back does not count', () => {
  expect(afterFailure(end(new Fault('STOPPING'), { failures: 3, returns: 9 }))).toMatchObject({
    is: 'again',
    counts: false,
  })
  expect(afterFailure(end(new Fault('STOPPING'), { returns: 100 }))).toEqual({ is: 'fail' })
})

test('a lost snapshot holds the part until there is a new one, and an attempt under the old one just goes again', () => {
  expect(afterFailure(end(new Fault('SNAPSHOT_LOST')))).toEqual({ is: 'hold' })
  expect(afterFailure(end(new Fault('SNAPSHOT_LOST'), { outdated: true }))).toEqual({ is: 'again', delayMs: 0, counts: false })
  expect(afterFailure(end(new Fault('SNAPSHOT_LOST'), { snapshots: 16 }))).toEqual({ is: 'fail' })
})
