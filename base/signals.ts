import type { Lifecycle } from './lifecycle.ts'

export interface SignalOptions {
  /** How long work in hand may go on after the first signal. */
  readonly drainMs: number
  /** The process ends after so long, whatever hangs. */
  readonly exitMs: number
}

/** First SIGINT or SIGTERM ends the lifecycle, the second exits at once, and a time-out always exits. Resolves when stopped. */
export function stopOnSignals(lifecycle: Lifecycle, options: SignalOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    let stopping = false
    const onSignal = () => {
      if (stopping) process.exit(130)
      stopping = true
      setTimeout(() => process.exit(1), options.exitMs).unref()
      lifecycle.stop(AbortSignal.timeout(options.drainMs)).then(resolve, reject)
    }
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
  })
}
