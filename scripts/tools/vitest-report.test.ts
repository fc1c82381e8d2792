import { expect, test } from 'vitest'
import { add, failedFilesOf, failedOf, sentence, skippedOf, totalsOf } from './vitest-report.ts'

const file = (status: string, tests: readonly string[]) => ({
  name: 'a.test.ts',
  status,
  assertionResults: tests.map((is, index) => ({ status: is, title: `test ${index}`, fullName: `a test ${index}` })),
})
const json = (...testResults: readonly unknown[]) => ({ numTotalTests: 0, testResults })

test('passed, failed and skipped tests are counted over all files', () => {
  const totals = totalsOf(json(file('passed', ['passed', 'skipped']), file('failed', ['failed', 'passed', 'todo'])))

  expect(totals).toEqual({ passed: 2, failed: 1, skipped: 2 })
})

test('a file that could not be loaded is a failure', () => {
  expect(totalsOf(json(file('failed', [])))).toEqual({ passed: 0, failed: 1, skipped: 0 })
})

test('what did not run is named', () => {
  expect(skippedOf(json(file('passed', ['passed', 'pending'])))).toEqual(['a test 1'])
})

test('what did not run in many places is one line', () => {
  expect(skippedOf(json(file('passed', ['skipped']), file('passed', ['skipped', 'skipped'])))).toEqual(['2 x test 0', 'a test 1'])
})

test('files with a failure are told, to run them again', () => {
  expect(failedFilesOf(json(file('passed', ['passed']), { ...file('failed', ['failed']), name: '/x/b.test.ts' }))).toEqual(['/x/b.test.ts'])
})

test('the last line sums up', () => {
  expect(sentence(add({ passed: 1, failed: 0, skipped: 2 }, { passed: 3, failed: 1, skipped: 0 }))).toBe('4 passed, 1 failed, 2 skipped')
})

test('what failed is named with the first line of why, also a file that could not be loaded', () => {
  const failed = { status: 'failed', title: 'counts', fullName: 'counts', failureMessages: ['AssertionError: 1 is not 2\n    at a.ts:1'] }
  const bad = { name: '/x/a.test.ts', status: 'failed', assertionResults: [failed, { status: 'passed', title: 'b', fullName: 'b' }] }
  const unread = { ...file('failed', []), name: '/x/b.test.ts', message: 'SyntaxError: no\nmore' }

  expect(failedOf(json(bad, unread))).toEqual(['a.test.ts: counts: AssertionError: 1 is not 2', 'b.test.ts: SyntaxError: no'])
})
