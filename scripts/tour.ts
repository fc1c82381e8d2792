/**
 * Walks through the portal in a real Chromium on public sample data and writes the pictures of docs/portal.md anew. Look at each
 * before you commit it.
 *
 *   npm run tour
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { ROOT } from './tools/steps.ts'
import { ASKED_FOR } from './tour/pictures.ts'

/** The pages are built by `npm run build` first: package.json. */
const { status } = spawnSync(
  process.execPath,
  [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'e2e', 'scripts/tour.e2e.test.ts'],
  { cwd: ROOT, stdio: 'inherit', env: { ...process.env, [ASKED_FOR]: '1' } },
)
process.exitCode = status ?? 1
