import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commandOf } from './demo/processes.ts'
import { ROOT } from './tools/steps.ts'

const LEFT_FOR_ITS_OWN_TIME_OUTS_MS = 170_000

test('the demo holds every claim on a machine whose port 7400 is taken, and leaves nothing running', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-demo-test-'))
  const squatter = createServer()
  squatter.on('error', () => undefined) // somebody else has it: as good
  squatter.listen(7400, '127.0.0.1')
  try {
    const demo = await run('--once', '--folder', folder)

    expect(demo.output).toContain('All claims held.')
    expect(demo.code).toBe(0)
    expect(demo.output).toContain('Port 7400 is taken')
    expect(demo.output).not.toContain('✗')
    expect(
      commandOf('all')
        .split('\n')
        .filter((line) => line.includes(folder)),
    ).toEqual([])
  } finally {
    squatter.close()
    rmSync(folder, { recursive: true, force: true })
  }
})

test('a mistyped option is told in a line with what is meant, and nothing is begun', async () => {
  const { code, output } = await run('--onse')

  expect(code).toBe(2)
  expect(output).toMatch(/^error: .*--onse.*\nremedy: npm run demo -- \[--once\] \[--folder DIR\]\n$/)
})

async function run(...words: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, [join(ROOT, 'scripts/demo.ts'), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LEFT_FOR_ITS_OWN_TIME_OUTS_MS,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}
