/** What vitest's JSON reporter wrote, summed up. */
import { basename } from 'node:path'
import { z } from 'zod'

const Report = z.object({
  numTotalTests: z.int(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(
        z.object({ status: z.string(), title: z.string(), fullName: z.string(), failureMessages: z.array(z.string()).nullish() }),
      ),
    }),
  ),
})

export interface Totals {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export const NOTHING: Totals = { passed: 0, failed: 0, skipped: 0 }

export function add(a: Totals, b: Totals): Totals {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped }
}

/** A file that could not be loaded has no tests to count: it counts as one failure. */
export function totalsOf(json: unknown): Totals {
  const { testResults } = Report.parse(json)
  return testResults.reduce<Totals>((sum, { status, assertionResults }) => {
    const count = (wanted: (status: string) => boolean) => assertionResults.filter((test) => wanted(test.status)).length
    const failed = count((is) => is === 'failed')
    const passed = count((is) => is === 'passed')
    return add(sum, {
      passed,
      failed: failed === 0 && status === 'failed' ? 1 : failed,
      skipped: assertionResults.length - passed - failed,
    })
  }, NOTHING)
}

/** What did not run, for the reader of a green line: tests of one title (claims that many stores share) are one line. */
export function skippedOf(json: unknown): readonly string[] {
  const left = Report.parse(json).testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status !== 'passed' && status !== 'failed'),
  )
  return [...Map.groupBy(left, ({ title }) => title)].map(([title, tests]) => {
    const [first] = tests
    return tests.length === 1 && first ? first.fullName : `${tests.length} x ${title}`
  })
}

/** Paths of the test files in which something failed. */
export function failedFilesOf(json: unknown): readonly string[] {
  return Report.parse(json)
    .testResults.filter(({ status }) => status === 'failed')
    .map(({ name }) => name)
}

/** Each failed test and, in a line, why: what a reader of the last lines of a long output needs first. */
export function failedOf(json: unknown): readonly string[] {
  return Report.parse(json).testResults.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed')
    if (failed.length === 0 && status === 'failed') return [`${basename(name)}: ${firstLine(message)}`]
    return failed.map(({ fullName, failureMessages }) => `${basename(name)}: ${fullName}: ${firstLine(failureMessages?.[0])}`)
  })
}

const LINE_CHARACTERS = 400
const firstLine = (text = ''): string => (text.split('\n', 1)[0] ?? '').slice(0, LINE_CHARACTERS)

export function sentence({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}
