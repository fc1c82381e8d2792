/**
 * The quick part of all checks, without any server: types, lint, format, unused code, generated pages, unit tests.
 *
 *   npm run check
 */
import { report, runSteps, STATIC_STEPS, UNIT_STEP } from './tools/steps.ts'

const began = performance.now()
const results = await runSteps([UNIT_STEP, ...STATIC_STEPS], 2)
const failed = results.filter(({ passed }) => !passed).length
console.log(report(results))
console.log(`${results.length - failed} of ${results.length} ok in ${((performance.now() - began) / 1_000).toFixed(1)} s`)
process.exitCode = failed > 0 ? 1 : 0
