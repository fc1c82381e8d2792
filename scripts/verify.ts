/**
 * All there is: types, lint, unused code, generated pages, and every test: unit, real (on real servers), e2e (whole clusters of
 * processes) and timed (such that measure). Installs missing system packages with apt where it may, and otherwise names what is left out and why.
 * Ends with one line: `N passed, N failed, N skipped`. A failed check counts as a failure.
 *
 * Up to five files of a suite in which something failed run once more, one by one. What passes then does not make the run fail, and is
 * named as unsteady: such a test is a bug to be found, but not one of the change that meets it.
 *
 *   npm run verify
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { report, runStep, runSteps, STATIC_STEPS, type Step, type StepResult } from './tools/steps.ts'
import { provideSystemPackages } from './tools/system-packages.ts'
import { add, failedFilesOf, failedOf, NOTHING, sentence, skippedOf, type Totals, totalsOf } from './tools/vitest-report.ts'

interface Suite {
  readonly result: StepResult
  readonly totals: Totals
  readonly skipped: readonly string[]
  readonly failed: readonly string[]
  /** Failed at first, and not when their files ran one by one. */
  readonly unsteady: readonly string[]
}

/** When a project is taken to hang. All of them together take about half an hour on 2 cores. */
const PROJECTS = { unit: 300_000, real: 1_200_000, e2e: 2_700_000, timed: 900_000 } as const

/** More files than this that fail are not chance. */
const RERUN_FILES = 5

const provision = provideSystemPackages()
for (const name of provision.installed) console.log(`installed ${name}`)

const folder = mkdtempSync(join(tmpdir(), 'postern-verify-'))
try {
  const checks = await runSteps(STATIC_STEPS, 2)
  console.log(report(checks))
  const suites: Suite[] = []
  for (const [project, timeoutMs] of Object.entries(PROJECTS)) suites.push(await runSuite(project, timeoutMs))

  console.log(`\n${report([...checks, ...suites.map(({ result, failed }) => ({ ...result, output: failed.join('\n') }))])}`)
  for (const name of suites.flatMap(({ skipped }) => skipped)) console.log(`skipped: ${name}`)
  for (const missing of provision.missing) console.log(`skipped: ${missing}`)

  for (const name of suites.flatMap(({ unsteady }) => unsteady)) console.log(`unsteady: ${name}`)
  for (const name of suites.flatMap(({ failed }) => failed)) console.log(`failed: ${name}`)

  const tests = suites.reduce((sum, { totals }) => add(sum, totals), NOTHING)
  const total = add(tests, { ...NOTHING, failed: checks.filter(({ passed }) => !passed).length })
  console.log(sentence(total))
  process.exitCode = total.failed > 0 || tests.passed === 0 ? 1 : 0
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function runSuite(project: string, timeoutMs: number): Promise<Suite> {
  const first = await runTests(project, [], timeoutMs)
  if (first.result.passed || first.failedFiles.length === 0 || first.failedFiles.length > RERUN_FILES) return first
  console.log(`\n${project}: once more, one by one: ${first.failedFiles.join(', ')}`)
  const again = await runTests(project, first.failedFiles, timeoutMs)
  const seconds = first.result.seconds + again.result.seconds
  const missed = { failed: again.totals.failed - first.totals.failed, passed: first.totals.failed - again.totals.failed, skipped: 0 }
  return {
    result: { ...again.result, seconds },
    totals: add(first.totals, missed),
    skipped: first.skipped,
    failed: again.failed,
    unsteady: first.failed.filter((was) => !again.failed.includes(was)),
  }
}

async function runTests(
  project: string,
  files: readonly string[],
  timeoutMs: number,
): Promise<Suite & { readonly failedFiles: readonly string[] }> {
  const json = join(folder, `${project}.json`)
  const step: Step = {
    name: project,
    what: `${project} tests`,
    run: [
      'node_modules/vitest/vitest.mjs',
      'run',
      ...['--project', project, '--reporter', 'default', '--reporter', 'json', '--outputFile.json', json],
      ...(files.length > 0 ? ['--no-file-parallelism', ...files] : []),
    ],
    timeoutMs,
  }
  const result = await runStep(step, { live: true })
  const read = readReport(json)
  rmSync(json, { force: true })
  // A run that ended badly with no failed test (killed, an error outside of tests, no tests) must not look green.
  const silent = !result.passed && read.totals.failed === 0
  return { ...read, result, unsteady: [], totals: silent ? add(read.totals, { ...NOTHING, failed: 1 }) : read.totals }
}

function readReport(file: string) {
  try {
    const json: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return { totals: totalsOf(json), skipped: skippedOf(json), failed: failedOf(json), failedFiles: failedFilesOf(json) }
  } catch {
    return { totals: NOTHING, skipped: [], failed: [], failedFiles: [] }
  }
}
