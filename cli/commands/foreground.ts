import { flushCompileCache } from 'node:module'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Fault } from '@postern/protocol/fault.ts'
import type { Shell } from '../shell.ts'

export interface Running<Wish = never> {
  /** Resolves when it has ended by itself, with the reason. */
  readonly ended?: Promise<Fault>
  /** Resolves when somebody wants it to stop, and for what. */
  readonly wished?: Promise<Wish>
  stop(deadline?: AbortSignal): Promise<void>
}

/**
 * Holds the process until the first signal or wish, then ends what runs; a second signal exits at once (program.ts), and a time-out
 * always does. Answers with the wish, once all is stopped; undefined after a signal.
 */
export async function runUntilStopped<Wish = never>(
  running: Running<Wish>,
  shell: Shell,
  limits: { readonly drainMs: number; readonly exitMs: number },
): Promise<Wish | undefined> {
  flushCompileCache() // a process that is killed would not leave it for the next start
  giveBack()
  const { promise: interrupted, resolve } = Promise.withResolvers<undefined>()
  shell.signal.addEventListener('abort', () => resolve(undefined), { once: true })
  if (shell.signal.aborted) resolve(undefined)
  const { ended, wished } = running
  const failed = ended?.then((fault) => Promise.reject(fault))
  const wish = await Promise.race([interrupted, ...(failed ? [failed] : []), ...(wished ? [wished] : [])])
  const late = setTimeout(() => process.exit(1), limits.exitMs).unref()
  await running.stop(AbortSignal.timeout(limits.drainMs))
  clearTimeout(late)
  return shell.signal.aborted ? undefined : wish
}

/** Loading leaves garbage that V8 would keep for as long as there is little to do: some 20 MB of a service that idles. */
function giveBack(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('typeof gc === "function" ? gc : undefined') as (() => void) | undefined
  collect?.()
}
