#!/usr/bin/env node
/**
 * The door of the command line. Plain JavaScript, for two reasons: an older Node.js can still say what is wrong, and with the
 * compile cache on before any TypeScript is met, a process whose code is in the cache never loads the type stripper (20 MB).
 */
import * as modules from 'node:module'
import { join } from 'node:path'

if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    `error: Postern needs Node.js 24 or later; this is ${process.version}.\nremedy: Run it as \`npx postern\`, which brings the right one.\n`,
  )
  process.exit(2)
}

// It lies in the clone, so it is trusted as the code itself is.
modules.enableCompileCache(join(import.meta.dirname, '..', 'node_modules', '.cache', 'postern'))
await import('./main.ts')
