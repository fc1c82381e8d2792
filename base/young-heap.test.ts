import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('while it is held, by however many, young objects get no more room; then they do again', async () => {
  const script = join(import.meta.dirname, 'testing', 'grow-young.ts')

  const { stdout } = await promisify(execFile)(process.execPath, [script])
  const grown = JSON.parse(stdout) as { readonly alone: number; readonly held: number; readonly free: number }

  expect(Math.max(grown.alone, grown.held)).toBeLessThanOrEqual(0)
  expect(grown.free).toBeGreaterThan(1)
})
