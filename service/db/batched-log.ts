/** Notes that nobody waits for: gathered in memory, written in batches, and taken away once they are older than they are kept. */
import type { Clock } from '@postern/base/clock.ts'
import type { Log } from '@postern/base/log.ts'
import { Rounds } from '@postern/base/rounds.ts'

/** How long a note may wait for its row in the database. */
const WRITE_MS = 500
const SWEEP_MS = 600_000

export interface BatchedLogParts {
  /** As people call it. */
  readonly what: string
  /** How many notes are not written yet. */
  readonly waiting: () => number
  /** All that waits. What could not be written must wait on when it fails. */
  readonly write: () => Promise<void>
  readonly sweep: (signal: AbortSignal) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

export class BatchedLog {
  readonly #parts: BatchedLogParts
  readonly #rounds: readonly Rounds[]
  #writing: Promise<void> | undefined

  constructor(parts: BatchedLogParts) {
    this.#parts = parts
    const { what, sweep, clock, log } = parts
    const writing = { everyMs: WRITE_MS, clock, round: () => this.flush() }
    const sweeping = { everyMs: SWEEP_MS, firstMs: WRITE_MS, clock, round: sweep }
    this.#rounds = [
      new Rounds({ ...writing, failed: (cause) => log.debug({ err: cause }, `${what} not written yet`) }),
      new Rounds({ ...sweeping, failed: (cause) => log.debug({ err: cause }, `${what} not swept`) }),
    ]
  }

  start(): void {
    for (const rounds of this.#rounds) rounds.start()
  }

  /** What still waits is written, if it can be. */
  async stop(): Promise<void> {
    await Promise.all(this.#rounds.map((rounds) => rounds.stop()))
    const { what, waiting, log } = this.#parts
    await this.flush().catch((cause) => log.warn({ err: cause, waiting: waiting() }, `${what} not written`))
  }

  /** Writes what was noted so far; two never write at a time. */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing
    this.#writing = this.#parts.write().finally(() => {
      this.#writing = undefined
    })
    await this.#writing
  }
}
