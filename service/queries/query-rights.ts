import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { AuditNotes } from '../audit/audit-notes.ts'
import type { QueryRecord } from './query-record.ts'

/** A query that takes less is never asked about. */
const LOOK_MS = 2_000

export interface QueryRightsParts {
  readonly notes: Pick<AuditNotes, 'note'>
  readonly clock: Clock
}

export interface WatchedQuery {
  readonly record: QueryRecord
  /** Rejects once its caller may not ask it any more. */
  readonly stillMay: () => Promise<unknown>
  /** Ends it, whatever it does. */
  readonly end: (fault: Fault) => void
}

/** A query that runs for long does not outlive the rights that it was asked with. */
export class QueryRights implements Component {
  readonly name = 'query-rights'
  readonly #parts: QueryRightsParts
  /** Each with when it began to be watched. */
  readonly #open = new Map<WatchedQuery, number>()
  readonly #stopping = new AbortController()
  #loop: Promise<void> | undefined

  constructor(parts: QueryRightsParts) {
    this.#parts = parts
  }

  async start(): Promise<void> {
    this.#loop ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
  }

  watch(query: WatchedQuery): void {
    this.#open.set(query, this.#parts.clock.monotonic())
  }

  unwatch(query: WatchedQuery): void {
    this.#open.delete(query)
  }

  /** Who cannot be asked about while the database is away stays. */
  async look(): Promise<void> {
    const before = this.#parts.clock.monotonic() - LOOK_MS
    const long = [...this.#open].filter(([, since]) => since <= before)
    await Promise.all(
      long.map(async ([query]) => {
        try {
          await query.stillMay()
        } catch (cause) {
          const { kind, message } = Fault.from(cause)
          if (kind === 'denied' || kind === 'missing') this.#end(query, new Fault('RIGHTS_WITHDRAWN', { at: message, cause }))
        }
      }),
    )
  }

  #end(query: WatchedQuery, fault: Fault): void {
    if (!this.#open.delete(query)) return
    const { id, store, caller } = query.record
    const details = { caller, code: fault.code }
    this.#parts.notes.note({ who: 'service', action: 'query.end', target: `store ${store}`, ip: null, details: { ...details, query: id } })
    query.end(fault)
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await this.#parts.clock.sleep(LOOK_MS, signal).catch(() => undefined)
      if (!signal.aborted) await this.look()
    }
  }
}
