/**
 * All there is: types, lint, unused code, generated pages, and every test: unit, real (on real servers) and e2e (whole clusters of
 * processes). Installs missing system packages with apt where it may, and otherwise names what is left out and why.
 * Ends with one line: `N passed, N failed, N skipped`. A failed check counts as a failure.
 *
 *   npm run verify
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { report, runStep, runSteps, STATIC_STEPS, type Step, type StepResult } from './tools/steps.ts'
import { provideSystemPackages } from './tools/system-packages.ts'
import { add, failedOf, NOTHING, sentence, skippedOf, type Totals, totalsOf } from './tools/vitest-report.ts'

interface Suite {
  readonly result: StepResult
  readonly totals: Totals
  readonly skipped: readonly string[]
  readonly failed: readonly string[]
}

/** When a project is taken to hang. All of them together take about 20 minutes on 2 cores; a busy machine may need twice that. */
const PROJECTS = { unit: 300_000, real: 1_500_000, e2e: 3_000_000 } as const

const provision = provideSystemPackages()
for (const name of provision.installed) console.log(`installed ${name}`)

const folder = mkdtempSync(join(tmpdir(), 'postern-verify-'))
try {
  const checks = await runSteps(STATIC_STEPS, 2)
  console.log(report(checks))
  const suites: Suite[] = []
  for (const [project, timeoutMs] of Object.entries(PROJECTS)) suites.push(await runSuite(project, timeoutMs))

  console.log(`\n${report([...checks, ...suites.map(({ result }) => ({ ...result, output: 'see above' }))])}`)
  for (const name of suites.flatMap(({ skipped }) => skipped)) console.log(`skipped: ${name}`)
  for (const missing of provision.missing) console.log(`skipped: ${missing}`)

  for (const name of suites.flatMap(({ failed }) => failed)) console.log(`failed: ${name}`)

  const tests = suites.reduce((sum, { totals }) => add(sum, totals), NOTHING)
  const total = add(tests, { ...NOTHING, failed: checks.filter(({ passed }) => !passed).length })
  console.log(sentence(total))
  process.exitCode = total.failed > 0 || tests.passed === 0 ? 1 : 0
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function runSuite(project: string, timeoutMs: number): Promise<Suite> {
  const file = join(folder, `${project}.json`)
  const step: Step = {
    name: project,
    what: `${project} tests`,
    run: [
      'node_modules/vitest/vitest.mjs',
      'run',
      ...['--project', project, '--reporter', 'default', '--reporter', 'json', '--outputFile.json', file],
    ],
    timeoutMs,
  }
  const result = await runStep(step, { live: true })
  const { totals, skipped, failed } = read(file)
  // A run that ended badly with no failed test (killed, an error outside of tests, no tests) must not look green.
  const silent = !result.passed && totals.failed === 0
  return { result, totals: silent ? add(totals, { ...NOTHING, failed: 1 }) : totals, skipped, failed }
}

function read(file: string): Omit<Suite, 'result'> {
  try {
    const json: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return { totals: totalsOf(json), skipped: skippedOf(json), failed: failedOf(json) }
  } catch {
    return { totals: NOTHING, skipped: [], failed: [] }
  }
}
