import type { RunView } from '@postern/protocol/api/runs.ts'
import { expect, test } from 'vitest'
import { exitCodeOf } from '../commands/run-follow.ts'
import { bytes, duration } from './format.ts'
import { breakdown, queueText } from './run-figures-text.ts'
import { verificationText } from './run-text.ts'

const verification = (status: 'passed' | 'failed' | 'skipped') => ({
  method: 'counts' as const,
  status,
  sourceRows: 3,
  targetRows: 3,
  sourceChecksum: null,
  targetChecksum: null,
  notes: [],
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

test('where the time of a run went stands in one line, and what waits in another', () => {
  expect(breakdown({ queueMs: 120, firstByteMs: 30, readMs: 4_000, writeMs: 61_000, commitMs: 5 })).toBe(
    'queue 120 ms, first byte 30 ms, read 4.0 s, write 1 m 01 s, commit 5 ms',
  )
  expect(queueText({ queuedTasks: 3, queueMs: 2_500, queuePosition: 7 })).toBe(
    '3 tasks wait for a free slot, the first for 2.5 s, 7 of other runs came before',
  )
})
