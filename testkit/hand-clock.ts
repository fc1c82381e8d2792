import type { Clock } from '@postern/base/clock.ts'

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

/** A clock that stands still until a test moves it. Sleepers wake in the order of their times. */
export class HandClock implements Clock {
  #now: number
  #elapsed = 0
  readonly #sleepers = new Set<Sleeper>()

  constructor(start: Date | number = Date.UTC(2026, 0, 1)) {
    this.#now = typeof start === 'number' ? start : start.getTime()
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#elapsed
  }

  /** How many wait for this clock now. */
  get sleeping(): number {
    return this.#sleepers.size
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#sleepers.delete(sleeper)
        signal?.removeEventListener('abort', aborted)
      }
      const aborted = () => {
        leave()
        reject(signal?.reason)
      }
      const sleeper: Sleeper = {
        at: this.#elapsed + Math.max(0, ms),
        wake: () => {
          leave()
          resolve()
        },
      }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', aborted, { once: true })
    })
  }

  /** Moves time on, stopping at each sleeper so that what it does next happens at its own time. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms
    await settle()
    for (;;) {
      const next = [...this.#sleepers].sort((a, b) => a.at - b.at)[0]
      if (!next || next.at > end) break
      this.#moveTo(next.at)
      next.wake()
      await settle()
    }
    this.#moveTo(end)
  }

  #moveTo(elapsed: number): void {
    const by = Math.max(0, elapsed - this.#elapsed)
    this.#elapsed += by
    this.#now += by
  }
}

/** Lets everything that is ready run: promises, and what they start. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve))
}
