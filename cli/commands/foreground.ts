import { flushCompileCache } from 'node:module'
import type { Shell } from '../shell.ts'

export interface Running {
  stop(deadline?: AbortSignal): Promise<void>
}

/**
 * Holds the process until the first signal, then ends what runs; a second signal exits at once (program.ts), and a time-out
 * always does.
 */
export async function runUntilStopped(
  running: Running,
  shell: Shell,
  limits: { readonly drainMs: number; readonly exitMs: number },
): Promise<void> {
  flushCompileCache() // a process that is killed would not leave it for the next start
  if (!shell.signal.aborted) await new Promise<void>((resolve) => shell.signal.addEventListener('abort', () => resolve(), { once: true }))
  setTimeout(() => process.exit(1), limits.exitMs).unref()
  await running.stop(AbortSignal.timeout(limits.drainMs))
}
