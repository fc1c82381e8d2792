import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import type { QueryId } from '@postern/protocol/ids.ts'
import { BatchedLog } from '../db/batched-log.ts'
import type { Caller } from '../rights/caller.ts'
import type { QueryRecord } from './query-record.ts'
import type { QueryFilter, QueryPlace, QueryRepository, Retention } from './query-repository.ts'

/** Rows of one statement. */
const BATCH = 1_000
const MOST_WAITING = 50_000
/** Of gateways that keep nothing: so that what has just ended can be explained. */
const MOST_RECENT = 1_000
/** Of gateways that are gone. */
const DEFAULT_DAYS = 7
const SWEEP_BATCH = 5_000

export interface QueryLogParts {
  readonly queries: QueryRepository
  /** How long each keeps its queries. */
  readonly gateways: () => Iterable<{ readonly name: string; readonly settings: { readonly queryLogDays: number } }>
  readonly clock: Clock
  readonly log: Log
  /** What is kept while the database is away; older ones are dropped, and counted. */
  readonly mostWaiting?: number
}

/** What ran and what runs. No SQL on a query's path: ended ones are written in batches. */
export class QueryLog implements Component {
  readonly name = 'query-log'
  readonly #parts: QueryLogParts
  readonly #running = new Map<QueryId, QueryRecord>()
  /** Ended, not yet written; in the order of their ends. */
  readonly #waiting = new Map<QueryId, QueryRecord>()
  /** Ended, of gateways that keep nothing. */
  readonly #recent = new Map<QueryId, QueryRecord>()
  readonly #log: BatchedLog
  /** All, and those that were not said yet. */
  #dropped = 0
  #unsaid = 0

  constructor(parts: QueryLogParts) {
    this.#parts = parts
    this.#log = new BatchedLog({
      ...parts,
      what: 'query log',
      waiting: () => this.#waiting.size,
      write: () => this.#write(),
      sweep: (signal) => this.sweep(signal),
    })
  }

  async start(): Promise<void> {
    this.#log.start()
  }

  async stop(): Promise<void> {
    await this.#log.stop()
  }

  began(record: QueryRecord): void {
    this.#running.set(record.id, record)
  }

  ended(record: QueryRecord): void {
    this.#running.delete(record.id)
    if (!record.kept) {
      this.#recent.set(record.id, record)
      if (this.#recent.size > MOST_RECENT) dropOldest(this.#recent)
      return
    }
    this.#waiting.set(record.id, record)
    if (this.#waiting.size <= (this.#parts.mostWaiting ?? MOST_WAITING)) return
    dropOldest(this.#waiting)
    this.#dropped += 1
    this.#unsaid += 1
  }

  running(): Iterable<QueryRecord> {
    return this.#running.values()
  }

  /** How many are in no log. */
  get dropped(): number {
    return this.#dropped
  }

  async find(id: QueryId): Promise<QueryRecord | undefined> {
    return this.#running.get(id) ?? this.#waiting.get(id) ?? this.#recent.get(id) ?? (await this.#parts.queries.find(id))
  }

  /** Newest first. What runs stands before the rest. */
  async page(wanted: QueryFilter, place: QueryPlace | undefined, count: number, caller: Caller): Promise<readonly QueryRecord[]> {
    await this.flush()
    const own = caller.owns(caller.principal) ? caller.principal : undefined
    const filter = { ...wanted, sees: caller.sees('queries:read'), own }
    const ended = await this.#parts.queries.page(filter, place?.running ? undefined : place, count)
    if (place?.running === false || (filter.outcome ?? 'running') !== 'running') return ended
    const now = this.#parts.clock.now()
    const running = [...this.#running.values()]
      .filter((record) => fits(record, filter, now) && maySeeQuery(caller, record))
      .toSorted((one, other) => (isBehind(one, other) ? 1 : -1))
      .filter((record) => place === undefined || isBehind(record, place))
    return [...running.slice(0, count), ...ended]
  }

  /** Writes what has ended so far. */
  flush(): Promise<void> {
    return this.#log.flush()
  }

  async #write(): Promise<void> {
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting.values().take(BATCH)]
      await this.#parts.queries.add(batch)
      for (const { id } of batch) this.#waiting.delete(id)
    }
    if (this.#unsaid === 0) return
    this.#parts.log.warn({ queries: this.#unsaid }, 'queries left out of the log while the database was away')
    this.#unsaid = 0
  }

  /** Deletes what is older than its gateway keeps it. */
  async sweep(signal?: AbortSignal): Promise<void> {
    const { queries } = this.#parts
    for (const retention of this.#retentions()) while (!signal?.aborted && (await queries.sweep(retention, SWEEP_BATCH)) === SWEEP_BATCH);
  }

  #retentions(): readonly Retention[] {
    const gateways = [...this.#parts.gateways()]
    const byDays = Map.groupBy(gateways, ({ settings }) => settings.queryLogDays)
    return [
      ...[...byDays].map(([days, some]) => ({ days, gateways: some.map(({ name }) => name), others: false })),
      { days: DEFAULT_DAYS, gateways: gateways.map(({ name }) => name), others: true },
    ]
  }
}

/** One's own, and those on stores where one may. */
export function maySeeQuery(caller: Caller, { callerId, gatewayId, storeId }: QueryRecord): boolean {
  return caller.owns(callerId) || caller.may('queries:read', { gateway: gatewayId ?? undefined, store: storeId ?? undefined })
}

function fits(record: QueryRecord, filter: QueryFilter, now: number): boolean {
  const { store, caller, node, slowerThanMs, since } = filter
  return (
    (store === undefined || record.store === store) &&
    (caller === undefined || record.caller === caller) &&
    (node === undefined || record.node === node) &&
    (slowerThanMs === undefined || now - record.startedAt > slowerThanMs) &&
    (since === undefined || record.startedAt >= since)
  )
}

/** In a list that begins with the newest. */
function isBehind(
  one: { readonly startedAt: number; readonly id: string },
  other: { readonly startedAt: number; readonly id: string },
): boolean {
  return one.startedAt < other.startedAt || (one.startedAt === other.startedAt && one.id < other.id)
}

function dropOldest(records: Map<QueryId, QueryRecord>): void {
  const oldest = records.keys().next().value
  if (oldest) records.delete(oldest)
}
