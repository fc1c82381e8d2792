import { runCommandLine } from './program.ts'
import { processShell } from './shell.ts'

const interrupted = new AbortController()

// A reader that has seen enough (`| head`) is no failure: what is under way ends, quietly.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

process.exitCode = await runCommandLine(process.argv.slice(2), processShell(interrupted.signal), interrupted)
