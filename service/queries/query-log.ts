import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import type { QueryId } from '@postern/protocol/ids.ts'
import type { QueryRecord } from './query-record.ts'
import type { QueryFilter, QueryPlace, QueryRepository } from './query-repository.ts'

/** How long an ended query may wait for its row in the database. */
const WRITE_MS = 500
/** Rows of one statement. */
const BATCH = 1_000
/** What is kept while the database is away; older ones are dropped, and counted. */
const MOST_WAITING = 50_000
const SWEEP_MS = 600_000
const SWEEP_BATCH = 5_000

export interface QueryLogParts {
  readonly queries: QueryRepository
  /** Ended queries are deleted after so long. */
  readonly retentionMs: number
  readonly clock: Clock
  readonly log: Log
}

/** What ran and what runs. No SQL on a query's path: ended ones are written in batches. */
export class QueryLog implements Component {
  readonly name = 'query-log'
  readonly #parts: QueryLogParts
  readonly #running = new Map<QueryId, QueryRecord>()
  /** Ended, not yet written; in the order of their ends. */
  readonly #waiting = new Map<QueryId, QueryRecord>()
  readonly #stopping = new AbortController()
  #loop: Promise<void> | undefined
  #writing: Promise<void> | undefined
  #dropped = 0

  constructor(parts: QueryLogParts) {
    this.#parts = parts
  }

  async start(): Promise<void> {
    this.#loop ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
    await this.flush().catch((cause) => this.#parts.log.warn({ err: cause, queries: this.#waiting.size }, 'query log not written'))
  }

  began(record: QueryRecord): void {
    this.#running.set(record.id, record)
  }

  ended(record: QueryRecord): void {
    this.#running.delete(record.id)
    this.#waiting.set(record.id, record)
    if (this.#waiting.size <= MOST_WAITING) return
    const oldest = this.#waiting.keys().next().value
    if (oldest) this.#waiting.delete(oldest)
    this.#dropped += 1
  }

  async find(id: QueryId): Promise<QueryRecord | undefined> {
    return this.#running.get(id) ?? this.#waiting.get(id) ?? (await this.#parts.queries.find(id))
  }

  /** Newest first. What runs stands on the first page, before the rest. */
  async page(filter: QueryFilter, place: QueryPlace | undefined, count: number): Promise<readonly QueryRecord[]> {
    await this.flush()
    const ended = await this.#parts.queries.page(filter, place, count)
    if (place || (filter.outcome ?? 'running') !== 'running') return ended
    const running = [...this.#running.values()].filter(({ store }) => filter.store === undefined || store === filter.store)
    return [...running.reverse().slice(0, count), ...ended]
  }

  /** Writes what has ended so far. */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined
    })
    await this.#writing
  }

  async #write(): Promise<void> {
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting.values().take(BATCH)]
      await this.#parts.queries.add(batch)
      for (const { id } of batch) this.#waiting.delete(id)
    }
    if (this.#dropped === 0) return
    this.#parts.log.warn({ queries: this.#dropped }, 'queries left out of the log while the database was away')
    this.#dropped = 0
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#parts
    const { signal } = this.#stopping
    let sweepAt = clock.monotonic()
    while (!signal.aborted) {
      await clock.sleep(WRITE_MS, signal).catch(() => undefined)
      if (signal.aborted) return
      await this.flush().catch((cause) => log.debug({ err: cause }, 'query log not written yet'))
      if (clock.monotonic() < sweepAt) continue
      sweepAt = clock.monotonic() + SWEEP_MS
      await this.#sweep().catch((cause) => log.debug({ err: cause }, 'query log not swept'))
    }
  }

  async #sweep(): Promise<void> {
    const { queries, retentionMs } = this.#parts
    while (!this.#stopping.signal.aborted && (await queries.sweep(retentionMs, SWEEP_BATCH)) === SWEEP_BATCH);
  }
}
