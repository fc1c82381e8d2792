/**
 * Fills the compile cache of the command line (cli/postern.js), so that even the first start of a service or node need not load the
 * type stripper: 20 MB less, and quicker. Called by `npm ci` (prepare). It only ever saves time: a failure is said and passed over.
 *
 *   node scripts/warm-up.js
 */
import * as modules from 'node:module'
import { join } from 'node:path'

/** What is loaded only when it is needed, and so would miss in a cache that only one command filled. */
const FRONT_DOORS = [
  'cli/program.ts',
  'cli/commands/foreground.ts',
  'service/service.ts',
  'node/node.ts',
  'node/join/join.ts',
  'engine/engine.ts',
  'connectors/postgres/session.ts',
  'connectors/files/session.ts',
]

const root = join(import.meta.dirname, '..')
try {
  modules.enableCompileCache(join(root, 'node_modules', '.cache', 'postern'))
  for (const door of FRONT_DOORS) await import(join(root, door))
} catch (cause) {
  console.log(`The compile cache is not filled: ${cause instanceof Error ? cause.message : cause}`)
}
