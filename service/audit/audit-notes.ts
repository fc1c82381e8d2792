import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { BatchedLog } from '../db/batched-log.ts'
import type { AuditEntry, AuditLog } from './audit-log.ts'
import type { AuditRepository } from './audit-repository.ts'

/** Rows of one statement. */
const BATCH = 500
/** Different ones that wait; more are counted and left out. */
const MOST_WAITING = 10_000
const SWEEP_BATCH = 5_000

export interface AuditNotesParts {
  readonly audit: AuditLog
  readonly rows: AuditRepository
  readonly clock: Clock
  readonly log: Log
}

interface Waiting {
  readonly entry: AuditEntry
  readonly at: Date
  times: number
}

/**
 * What leaves a record beside the changes themselves: refusals, failures, connections. Written in batches, so that neither who is refused
 * nor who connects waits for it; the same thing many times within a moment is one row that says how often. Also sees to the retention.
 */
export class AuditNotes implements Component {
  readonly name = 'audit'
  readonly #parts: AuditNotesParts
  #waiting = new Map<string, Waiting>()
  #left = 0
  readonly #log: BatchedLog

  constructor(parts: AuditNotesParts) {
    this.#parts = parts
    this.#log = new BatchedLog({
      ...parts,
      what: 'audit',
      waiting: () => this.#waiting.size,
      write: () => this.#write(),
      sweep: (signal) => this.#sweep(signal),
    })
  }

  async start(): Promise<void> {
    this.#log.start()
  }

  async stop(): Promise<void> {
    await this.#log.stop()
  }

  note(entry: AuditEntry): void {
    const key = JSON.stringify(entry)
    const waiting = this.#waiting.get(key)
    if (waiting) waiting.times += 1
    else if (this.#waiting.size >= MOST_WAITING) this.#left += 1
    else this.#waiting.set(key, { entry, at: new Date(this.#parts.clock.now()), times: 1 })
  }

  /** Writes what was noted so far. */
  flush(): Promise<void> {
    return this.#log.flush()
  }

  async #write(): Promise<void> {
    const { audit, clock, log } = this.#parts
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting].slice(0, BATCH)
      for (const [key] of batch) this.#waiting.delete(key)
      try {
        await audit.recordAll(
          batch.map(([, { entry, at, times }]) => ({ ...entry, at, details: { ...entry.details, ...(times > 1 ? { times } : {}) } })),
        )
      } catch (cause) {
        for (const [key, waiting] of batch) this.#waiting.set(key, waiting)
        throw cause
      }
    }
    if (this.#left === 0) return
    const records = this.#left
    this.#left = 0
    log.warn({ records }, 'records left out of the audit: too many at once')
    const entry = { who: 'service', action: 'audit.left-out', target: 'audit', ip: null, outcome: 'failed', details: { records } } as const
    await audit.recordAll([{ ...entry, at: new Date(clock.now()) }])
  }

  /** Deletes what is older than it is kept. */
  async #sweep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (await this.#parts.rows.sweep(SWEEP_BATCH)) === SWEEP_BATCH);
  }
}
