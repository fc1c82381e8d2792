import type { RunView, TaskView } from '@postern/protocol/api/runs.ts'
import { expect, test } from 'vitest'
import { exitCodeOf } from '../commands/run-follow.ts'
import { bytes, duration } from './format.ts'
import { shareOf, verificationText } from './run-text.ts'

const task = (parts: Partial<TaskView>) => ({ status: 'running', estimatedRows: 100, rowsRead: 0, rowsWritten: 0, ...parts }) as TaskView
const verification = (status: 'passed' | 'failed' | 'skipped') => ({
  method: 'counts' as const,
  status,
  sourceRows: 3,
  targetRows: 3,
  sourceChecksum: null,
  targetChecksum: null,
  notes: [],
})

test('a task is never shown as complete before it has succeeded, however wrong the estimate was', () => {
  expect(shareOf(task({ rowsRead: 250 }))).toBe(0.99)
  expect(shareOf(task({ rowsRead: 50 }))).toBe(0.5)
  expect(shareOf(task({ estimatedRows: null }))).toBeUndefined()
  expect(shareOf(task({ status: 'succeeded', estimatedRows: null }))).toBe(1)
})

test.each([
  ['succeeded', 'passed', undefined, 0],
  ['succeeded', 'skipped', undefined, 0],
  ['succeeded', 'failed', undefined, 1],
  ['failed', 'skipped', 'TABLE_MISSING', 3],
  ['failed', 'failed', 'VERIFICATION_FAILED', 1],
  ['failed', 'skipped', 'STORE_UNREACHABLE', 5],
  ['cancelled', 'skipped', undefined, 1],
] as const)('a run that has %s with verification %s and fault %s ends the command with %i', (status, verified, code, exit) => {
  const fault = code === undefined ? null : { code, message: 'm', remedy: 'r' }

  expect(exitCodeOf({ status, verification: verification(verified), fault } as unknown as RunView)).toBe(exit)
})

test('a verification is told with its figures', () => {
  expect(verificationText(verification('passed'))).toBe('passed (3 rows at the source, 3 at the target)')
})

test('figures are short and honest', () => {
  expect([0, 999, 1_000, 99_949, 1_500_000, 2e12].map(bytes)).toEqual(['0 B', '999 B', '1.0 KB', '99.9 KB', '1.5 MB', '2.0 TB'])
  expect([0, 999, 1_000, 59_000, 61_000, 3_700_000].map(duration)).toEqual(['0 ms', '999 ms', '1.0 s', '59.0 s', '1 m 01 s', '1 h 01 m'])
})
