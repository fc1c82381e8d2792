import type { ServerResponse } from 'node:http'
import type { Clock } from '@postern/base/clock.ts'
import type { Log } from '@postern/base/log.ts'
import type { Random } from '@postern/base/random.ts'
import { CONNECTORS } from '@postern/connectors/registry.ts'
import type { Labels } from '@postern/protocol/api/gateways.ts'
import type { QueryFormat, QueryRequest } from '@postern/protocol/api/queries.ts'
import type { QueryLimits } from '@postern/protocol/api/query-limits.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { type GatewayId, newId, type QueryId, type StoreId } from '@postern/protocol/ids.ts'
import type { z } from 'zod'
import type { EventBus } from '../events/event-bus.ts'
import type { LinkRegistry } from '../links/link-registry.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import type { Caller } from '../rights/caller.ts'
import { needOn } from '../rights/places.ts'
import type { Admission } from './admission.ts'
import { LiveQuery, type LiveQueryParts } from './live-query.ts'
import type { NodeHealth } from './node-health.ts'
import { QueryCounts } from './query-counts.ts'
import { effectiveLimits } from './query-limits.ts'
import type { QueryLog } from './query-log.ts'
import type { QueryMetrics } from './query-metrics.ts'
import { faultInWords, type QueryRecord } from './query-record.ts'
import type { QueryRights } from './query-rights.ts'
import { QueryTrunks } from './query-trunks.ts'

/** What a query must know of a store; found without SQL. */
export interface QueryStore {
  readonly id: StoreId
  readonly name: string
  readonly version: number
  readonly kind: string
  readonly gatewayId: GatewayId
  readonly sealed: string | null
  readonly nodeLabels: Labels
  readonly limits: QueryLimits
}

export interface QueryServiceParts {
  /** Fails with STORE_UNKNOWN. */
  readonly findStore: (name: string) => QueryStore | Promise<QueryStore>
  readonly nodes: NodeDirectory
  readonly links: Pick<LinkRegistry, 'open' | 'openDuplex' | 'has'>
  readonly admission: Admission
  readonly health: NodeHealth
  readonly queries: QueryLog
  readonly metrics: QueryMetrics
  readonly rights: Pick<QueryRights, 'watch' | 'unwatch'>
  readonly events: EventBus
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export interface QueryAsked {
  readonly store: string
  readonly caller: Pick<Caller, 'id' | 'name' | 'principal' | 'limits'>
  /** The same caller as it is later: fails once it is not known any more. */
  readonly callerNow: () => Promise<Caller> | Caller
  /** Where it was asked from. */
  readonly address?: string
  readonly format: QueryFormat
  readonly request: z.output<typeof QueryRequest>
}

/** What is kept of a statement, where it is kept. */
const SQL_CHARACTERS = 10_000

/** Takes queries from callers to nodes. */
export class QueryService {
  readonly #parts: QueryServiceParts
  readonly #live: LiveQueryParts
  readonly #counts = new QueryCounts()
  readonly #turns = new Map<GatewayId, number>()

  constructor(parts: QueryServiceParts) {
    this.#parts = parts
    this.#live = { ...parts, trunks: new QueryTrunks(parts) }
  }

  /** Streams the answer into `raw`. Rejects with the fault when nothing was sent; `onRecord` tells the query's id before that. */
  async run(asked: QueryAsked, raw: ServerResponse, onRecord: (record: QueryRecord) => void): Promise<void> {
    const found = this.#parts.findStore(asked.store)
    const store = found instanceof Promise ? await found : found
    if (CONNECTORS.get(store.kind)?.can.query !== 'sql') {
      throw new Fault('QUERY_UNSUPPORTED', { at: `Store ${store.name} is of kind ${store.kind}.` })
    }
    const record = this.#record(asked, store)
    onRecord(record)
    const { request } = asked
    const { id, name, version } = store
    const query = new LiveQuery(
      this.#live,
      {
        gatewayId: store.gatewayId,
        store: { id, name, version },
        sealed: store.sealed !== null,
        labels: store.nodeLabels,
        sql: request.sql,
        params: request.params,
        limits: effectiveLimits(request, store, asked.caller),
        turn: this.#turn(store.gatewayId),
      },
      record,
      raw,
    )
    this.#parts.queries.began(record)
    this.#tell(record)
    try {
      this.#enter(store, asked.caller, record)
      const stillMay = async () => needOn(await asked.callerNow(), 'stores:query', store)
      const watched = { record, stillMay, end: (fault: Fault) => query.end(fault) }
      this.#parts.rights.watch(watched)
      try {
        await query.run()
      } finally {
        this.#parts.rights.unwatch(watched)
        this.#counts.leave(store, asked.caller)
      }
    } finally {
      this.#parts.queries.ended(record)
      this.#parts.metrics.ended(record)
      this.#tell(record)
    }
  }

  /** Who is refused here stands in the log as any other. */
  #enter(store: QueryStore, caller: QueryAsked['caller'], record: QueryRecord): void {
    try {
      this.#counts.enter(store, caller)
    } catch (cause) {
      record.outcome = 'failed'
      record.durationMs = 0
      record.fault = faultInWords(Fault.from(cause), [])
      throw cause
    }
  }

  #record({ caller, format, request, address }: QueryAsked, store: QueryStore): QueryRecord {
    const { clock, random, nodes } = this.#parts
    const gateway = nodes.gateway(store.gatewayId)
    return {
      id: newId<QueryId>('qry', random.bytes),
      store: store.name,
      gateway: gateway?.name ?? store.gatewayId,
      caller: caller.name,
      callerId: caller.principal,
      storeId: store.id,
      gatewayId: store.gatewayId,
      address: address ?? null,
      format,
      mode: request.mode,
      startedAt: clock.now(),
      node: null,
      outcome: 'running',
      queuedMs: 0,
      firstRowMs: null,
      durationMs: null,
      rows: 0,
      bytes: 0,
      fault: null,
      sql: gateway?.settings.keepSqlText ? request.sql.slice(0, SQL_CHARACTERS) : null,
      kept: gateway?.settings.queryLogDays !== 0,
      candidates: [],
      attempts: [],
    }
  }

  #turn(gatewayId: GatewayId): number {
    const turn = this.#turns.get(gatewayId) ?? 0
    this.#turns.set(gatewayId, turn + 1)
    return turn
  }

  #tell(record: QueryRecord): void {
    const { events, log } = this.#parts
    if (record.outcome === 'failed')
      log.info({ query: record.id, store: record.store, node: record.node, fault: record.fault }, 'query failed')
    if (!events.heard) return
    events.publish({ type: 'query', query: record.id, store: record.store, node: record.node, outcome: record.outcome })
  }
}
