import { Background } from '@postern/base/background.ts'
import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import type { Beat } from '@postern/protocol/node-api.ts'
import type { MachineFacts } from './machine.ts'
import { UsageWindow } from './usage-window.ts'

const SAMPLE_MS = 1_000

interface UsageParts {
  readonly measure: () => MachineFacts
  readonly clock: Clock
  readonly log: Log
}

/** Looks at the machine each second, whether the service hears of it or not, and keeps what the averages need. */
export class Usage implements Component {
  readonly name = 'usage'
  readonly #parts: UsageParts
  readonly #window = new UsageWindow()
  readonly #stopping = new AbortController()
  readonly #background: Background
  #latest: MachineFacts
  #sampledAt: number
  #minutes = 5
  #started = false

  constructor(parts: UsageParts) {
    this.#parts = parts
    this.#background = new Background((cause) => parts.log.error({ err: cause }, 'the machine is not measured any more'))
    this.#latest = parts.measure()
    this.#sampledAt = parts.clock.monotonic()
  }

  /** The last sample, and the averages over the window; a window that was changed counts at once, from the samples there are. */
  get facts(): MachineFacts & Pick<Beat, 'averages'> {
    return { ...this.#latest, averages: this.#window.average(this.#minutes) ?? undefined }
  }

  /** True when that is news. */
  average(minutes: number): boolean {
    const news = minutes !== this.#minutes
    this.#minutes = minutes
    return news
  }

  async start(): Promise<void> {
    if (this.#started) return
    this.#started = true
    this.#background.run(() => this.#run())
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#background.idle()
  }

  async #run(): Promise<void> {
    const { clock, measure } = this.#parts
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await clock.sleep(SAMPLE_MS, signal).catch(() => undefined)
      if (signal.aborted) return
      const now = clock.monotonic()
      this.#latest = measure()
      const { cpuPercent, totalMemoryBytes, availableMemoryBytes } = this.#latest
      const memoryPercent = totalMemoryBytes > 0 ? 100 * (1 - availableMemoryBytes / totalMemoryBytes) : 0
      this.#window.add({ cpuPercent, memoryPercent, ms: now - this.#sampledAt })
      this.#sampledAt = now
    }
  }
}
