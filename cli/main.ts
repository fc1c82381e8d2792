#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// Before anything else is loaded: types are stripped and code is compiled once per version, not at each start. A start takes
// half the time and a service 25 MB less. The cache lies in the clone, so it is trusted as the code itself is.
enableCompileCache(join(import.meta.dirname, '..', 'node_modules', '.cache', 'postern'))

const [{ runCommandLine }, { processShell }] = await Promise.all([import('./program.ts'), import('./shell.ts')])

const interrupted = new AbortController()

// A reader that has seen enough (`| head`) is no failure: what is under way ends, quietly.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

process.exitCode = await runCommandLine(process.argv.slice(2), processShell(interrupted.signal), interrupted)
