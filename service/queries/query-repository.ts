import type { QueryFormat } from '@postern/protocol/api/queries.ts'
import type { GatewayId, PersonId, QueryId, StoreId, TokenId } from '@postern/protocol/ids.ts'
import { type SqlBool, sql } from 'kysely'
import type { Db } from '../db/database.ts'
import type { Where } from '../rights/rights.ts'
import type { QueryOutcome, QueryRecord } from './query-record.ts'

export interface QueryFilter {
  readonly store?: string | undefined
  readonly outcome?: QueryOutcome | undefined
  readonly caller?: string | undefined
  /** That answered last. */
  readonly node?: string | undefined
  readonly slowerThanMs?: number | undefined
  /** Started then or later; milliseconds of the wall clock. */
  readonly since?: number | undefined
  /** Of all these, each must hold. Left out: all queries. */
  readonly sees?: readonly Where[] | undefined
  /** Shown whatever holds. */
  readonly own?: PersonId | TokenId | undefined
}

/** How long to keep queries of `gateways`; with `others`, of all but those. */
export interface Retention {
  readonly days: number
  readonly gateways: readonly string[]
  readonly others: boolean
}

/** Where a page ended: lists are newest first. */
export interface QueryPlace {
  readonly startedAt: number
  readonly id: string
  /** It ended among those that run: more of them may follow, and then all that have ended. */
  readonly running: boolean
}

const startedMs = sql<number>`(extract(epoch from started_at) * 1000)::float8`

/** All the SQL of the query log. */
export class QueryRepository {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  /** One statement and one parameter for a whole batch. A batch that was written before is not written again. */
  async add(records: readonly QueryRecord[]): Promise<void> {
    await sql`
      insert into query_log
             (id, store, gateway, caller, caller_id, store_id, gateway_id, address, format, mode, node, outcome, started_at, queued_ms, first_row_ms, duration_ms, rows, bytes,
              fault, sql, candidates, attempts)
      select r.id, r.store, r.gateway, r.caller, r."callerId", r."storeId", r."gatewayId", r.address, r.format, r.mode, r.node, r.outcome, to_timestamp(r."startedAt" / 1000.0), r."queuedMs",
             r."firstRowMs", coalesce(r."durationMs", 0), r.rows, r.bytes, r.fault, r.sql, r.candidates, r.attempts
        from json_to_recordset(${JSON.stringify(records)}::json)
          as r(id text, store text, gateway text, caller text, "callerId" text, "storeId" text, "gatewayId" text, address text, format text, mode text, node text, outcome text, "startedAt" float8,
               "queuedMs" float8, "firstRowMs" float8, "durationMs" float8, rows bigint, bytes bigint, fault text, sql text, candidates jsonb,
               attempts jsonb)
          on conflict do nothing`.execute(this.#db)
  }

  async find(id: QueryId): Promise<QueryRecord | undefined> {
    return await this.#select().where('id', '=', id).executeTakeFirst()
  }

  /** Newest first, at most `count` after `place`. */
  async page(filter: QueryFilter, place: QueryPlace | undefined, count: number): Promise<QueryRecord[]> {
    let query = this.#select().orderBy('started_at', 'desc').orderBy('id', 'desc').limit(count)
    if (filter.store !== undefined) query = query.where('store', '=', filter.store)
    if (filter.caller !== undefined) query = query.where('caller', '=', filter.caller)
    if (filter.node !== undefined) query = query.where('node', '=', filter.node)
    if (filter.slowerThanMs !== undefined) query = query.where('duration_ms', '>', filter.slowerThanMs)
    if (filter.since !== undefined) query = query.where('started_at', '>=', new Date(filter.since))
    if (filter.outcome !== undefined) {
      if (filter.outcome === 'running') return []
      query = query.where('outcome', '=', filter.outcome)
    }
    for (const { gateways, stores } of filter.sees ?? [])
      query = query.where(
        sql<SqlBool>`(caller_id = ${filter.own ?? null}::text or gateway_id = any(${[...gateways]}) or store_id = any(${[...stores]}))`,
      )
    if (place) query = query.where(sql<SqlBool>`(started_at, id) < (to_timestamp(${place.startedAt}::float8 / 1000.0), ${place.id})`)
    return await query.execute()
  }

  /** Deletes at most `count` of these gateways (or of all others) that started before so many days. Returns how many. */
  async sweep({ days, gateways, others }: Retention, count: number): Promise<number> {
    const { numAffectedRows } = await sql`
      delete from query_log
       where id in (select id
                      from query_log
                     where started_at < now() - ${days} * interval '1 day'
                       and (gateway = any(${[...gateways]}::text[])) <> ${others}
                     order by started_at
                     limit ${count})`.execute(this.#db)
    return Number(numAffectedRows ?? 0n)
  }

  #select() {
    return this.#db
      .selectFrom('query_log')
      .select([
        sql<QueryId>`id`.as('id'),
        'store',
        'gateway',
        'caller',
        sql<PersonId | TokenId | null>`caller_id`.as('callerId'),
        sql<StoreId | null>`store_id`.as('storeId'),
        sql<GatewayId | null>`gateway_id`.as('gatewayId'),
        'address',
        sql<QueryFormat>`format`.as('format'),
        sql<'read' | 'write'>`mode`.as('mode'),
        'node',
        'outcome',
        startedMs.as('startedAt'),
        'queued_ms as queuedMs',
        'first_row_ms as firstRowMs',
        'duration_ms as durationMs',
        'rows',
        'bytes',
        'fault',
        'sql',
        sql<boolean>`true`.as('kept'),
        'candidates',
        'attempts',
      ])
  }
}
