import { flushCompileCache } from 'node:module'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Fault } from '@postern/protocol/fault.ts'
import type { Shell } from '../shell.ts'

export interface Running {
  /** Resolves when it has ended by itself, with the reason. */
  readonly ended?: Promise<Fault>
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
  giveBack()
  const { promise: interrupted, resolve } = Promise.withResolvers<undefined>()
  shell.signal.addEventListener('abort', () => resolve(undefined), { once: true })
  if (shell.signal.aborted) resolve(undefined)
  const fault = await (running.ended ? Promise.race([interrupted, running.ended]) : interrupted)
  if (fault) throw fault
  setTimeout(() => process.exit(1), limits.exitMs).unref()
  await running.stop(AbortSignal.timeout(limits.drainMs))
}

/** Loading leaves garbage that V8 would keep for as long as there is little to do: some 20 MB of a service that idles. */
function giveBack(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('typeof gc === "function" ? gc : undefined') as (() => void) | undefined
  collect?.()
}
