/** Runs commands of the tool chain, a few at a time, and shows what came of them. */
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '../..')

export interface Step {
  readonly name: string
  /** What it says, for the table. */
  readonly what: string
  /** A script and its arguments, run by this same Node.js: works where there is no shell. */
  readonly run: readonly [script: string, ...args: string[]]
  readonly timeoutMs: number
}

export interface StepResult {
  readonly step: Step
  readonly passed: boolean
  readonly seconds: number
  readonly output: string
}

/** What one step prints is kept to its end: the last part is where tools say what is wrong. */
const OUTPUT_CHARACTERS = 200_000

export function runStep(step: Step, options: { readonly live?: boolean } = {}): Promise<StepResult> {
  const [script, ...args] = step.run
  const began = performance.now()
  return new Promise((done) => {
    const child = spawn(process.execPath, [resolve(ROOT, script), ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: step.timeoutMs,
      killSignal: 'SIGKILL',
    })
    let output = ''
    const take = (target: NodeJS.WriteStream) => (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-OUTPUT_CHARACTERS)
      if (options.live) target.write(chunk)
    }
    child.stdout.on('data', take(process.stdout))
    child.stderr.on('data', take(process.stderr))
    const end = (passed: boolean, note = '') => done({ step, passed, seconds: (performance.now() - began) / 1_000, output: output + note })
    child.on('error', (cause) => end(false, String(cause)))
    child.on('close', (code, signal) =>
      end(code === 0, signal === 'SIGKILL' ? `\n${step.name} was ended after ${step.timeoutMs / 1_000} s\n` : ''),
    )
  })
}

/** All steps, `width` at a time, in their order; results in the same order. */
export async function runSteps(steps: readonly Step[], width: number): Promise<readonly StepResult[]> {
  const results: StepResult[] = []
  const waiting = [...steps.entries()]
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) results[next[0]] = await runStep(next[1])
  }
  await Promise.all(Array.from({ length: width }, lane))
  return results
}

/** Output of what failed, then one line a step. */
export function report(results: readonly StepResult[]): string {
  const failures = results.filter(({ passed }) => !passed).map(({ step, output }) => `── ${step.name} ──\n${output.trim()}\n\n`)
  const lines = results.map(
    ({ step, passed, seconds }) =>
      `  ${passed ? 'ok  ' : 'FAIL'}  ${step.name.padEnd(8)} ${step.what.padEnd(62)} ${seconds.toFixed(1).padStart(6)} s\n`,
  )
  return `${failures.join('')}${lines.join('')}`
}

/** Quick steps that need no server. */
export const STATIC_STEPS: readonly Step[] = [
  { name: 'types', what: 'the TypeScript compiler finds no error', run: ['node_modules/typescript/bin/tsc'], timeoutMs: 120_000 },
  {
    name: 'pages',
    what: 'and none in the pages, which run in a browser',
    run: ['node_modules/typescript/bin/tsc', '-p', 'portal'],
    timeoutMs: 120_000,
  },
  {
    name: 'lint',
    what: 'biome: rules, imports in order, format',
    run: ['node_modules/@biomejs/biome/bin/biome', 'check'],
    timeoutMs: 120_000,
  },
  { name: 'knip', what: 'no unused file, export or dependency', run: ['node_modules/knip/bin/knip.js'], timeoutMs: 120_000 },
  { name: 'gen', what: 'generated pages are fresh', run: ['scripts/gen.ts', '--check'], timeoutMs: 60_000 },
]

export const UNIT_STEP: Step = {
  name: 'unit',
  what: 'unit tests, among them the import law and the lockfile',
  run: ['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', '--reporter', 'dot'],
  timeoutMs: 300_000,
}
