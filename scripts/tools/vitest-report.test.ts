import { expect, test } from 'vitest'
import { add, sentence, skippedOf, totalsOf } from './vitest-report.ts'

const file = (status: string, tests: readonly string[]) => ({
  name: 'a.test.ts',
  status,
  assertionResults: tests.map((is, index) => ({ status: is, fullName: `test ${index}` })),
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
  expect(skippedOf(json(file('passed', ['passed', 'pending'])))).toEqual(['test 1'])
})

test('the last line sums up', () => {
  expect(sentence(add({ passed: 1, failed: 0, skipped: 2 }, { passed: 3, failed: 1, skipped: 0 }))).toBe('4 passed, 1 failed, 2 skipped')
})
