import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { Rounds } from '@postern/base/rounds.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { AuditNotes } from '../audit/audit-notes.ts'
import type { QueryRecord } from './query-record.ts'

/** A query that takes less is never asked about. */
const LOOK_MS = 2_000

export interface QueryRightsParts {
  readonly notes: Pick<AuditNotes, 'note'>
  readonly clock: Clock
  readonly log: Log
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
  readonly #rounds: Rounds

  constructor(parts: QueryRightsParts) {
    this.#parts = parts
    this.#rounds = new Rounds({
      everyMs: LOOK_MS,
      clock: parts.clock,
      round: () => this.look(),
      failed: (cause) => parts.log.debug({ err: cause }, 'rights of queries not looked at'),
    })
  }

  async start(): Promise<void> {
    this.#rounds.start()
  }

  async stop(): Promise<void> {
    await this.#rounds.stop()
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
}
