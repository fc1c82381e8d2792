import type { AuditFilter, AuditOutcome } from '@postern/protocol/api/audit.ts'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../db/database.ts'
import type { Where } from '../rights/rights.ts'

export interface AuditRow {
  readonly id: number | string
  /** ISO 8601 with microseconds: finer than a Date. */
  readonly at: string
  /** Orders what happened in the same microsecond. */
  readonly key: string
  readonly who: string
  readonly whoId: string | null
  readonly action: string
  readonly target: string
  readonly ip: string | null
  readonly outcome: AuditOutcome
  readonly details: Readonly<Record<string, unknown>>
}

export interface AuditPlace {
  readonly at: string
  readonly key: string
}

export interface AuditPage {
  readonly filter: AuditFilter
  /** Of these gateways only; each must hold. None: all that there is. */
  readonly sees: readonly Where[]
  /** Where the last page ended. */
  readonly place: AuditPlace | undefined
  readonly count: number
  readonly order: 'newest' | 'oldest'
}

const KEY = sql`('a' || lpad(audit.id::text, 19, '0')) collate "C"`
const QUERY_KEY = sql`query_log.id collate "C"`
const TARGET_OF_QUERY = sql`'store ' || store`

/** All the SQL of reading the audit. The records of queries are those of the query log: nothing is written twice. */
export class AuditRepository {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  async page(wanted: AuditPage): Promise<AuditRow[]> {
    const { filter, count, order } = wanted
    const way = order === 'newest' ? sql`desc` : sql`asc`
    const branches = [this.#changes(wanted, way), ...(filter.queries ? [this.#queries(wanted, way)] : [])]
    const { rows } = await sql<AuditRow>`
      select id, to_char(at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, key, who, "whoId", action, target, ip, outcome, details
        from (${sql.join(branches, sql` union all `)}) as found
       order by found.at ${way}, key ${way}
       limit ${count}`.execute(this.#db)
    return rows.map((row) => ({ ...row, id: row.key.startsWith('a') ? Number(row.id) : row.id }))
  }

  async settings(): Promise<{ readonly keepDays: number }> {
    return await this.#db.selectFrom('audit_settings').select('keep_days as keepDays').executeTakeFirstOrThrow()
  }

  async set(keepDays: number, db: Db): Promise<void> {
    await db.updateTable('audit_settings').set({ keep_days: keepDays }).execute()
  }

  /** Deletes at most `count` that are older than they are kept. Returns how many. */
  async sweep(count: number): Promise<number> {
    const { numAffectedRows } = await sql`
      delete from audit
       where id in (select id
                      from audit
                     where at < now() - interval '1 day' * (select keep_days from audit_settings where keep_days > 0)
                     order by at
                     limit ${count})`.execute(this.#db)
    return Number(numAffectedRows ?? 0n)
  }

  #changes({ filter, sees, place, count, order }: AuditPage, way: RawBuilder<unknown>): RawBuilder<unknown> {
    const { who, action, target, outcome } = filter
    return sql`
      (select audit.id::text as id, at, ${KEY} as key, who, who_id as "whoId", action, target, ip, outcome, details
         from audit
        where ${within(sql`at`, filter)} and ${behind(sql`at`, KEY, place, order)} and ${seen(sees, filter)}
          and (${who ?? null}::text is null or who = ${who ?? null} or who_id = ${who ?? null})
          and (${action ?? null}::text is null or action = ${action ?? null} or starts_with(action, ${action ?? null} || '.'))
          and (${target ?? null}::text is null or target = ${target ?? null})
          and (${outcome ?? null}::text is null or outcome = ${outcome ?? null})
        order by at ${way}, audit.id ${way}
        limit ${count})`
  }

  #queries({ filter, sees, place, count, order }: AuditPage, way: RawBuilder<unknown>): RawBuilder<unknown> {
    const { who, action, target, outcome } = filter
    const asked = action === undefined || action === 'store' || action === 'store.query'
    return sql`
      (select query_log.id, started_at as at, ${QUERY_KEY} as key, caller as who, caller_id as "whoId", 'store.query' as action,
              ${TARGET_OF_QUERY} as target, address as ip, case outcome when 'succeeded' then 'done' else 'failed' end as outcome,
              jsonb_strip_nulls(jsonb_build_object('mode', mode, 'node', node, 'outcome', outcome, 'rows', rows, 'bytes', bytes,
                                                   'durationMs', duration_ms, 'fault', fault, 'sql', sql)) as details
         from query_log
        where ${asked} and ${within(sql`started_at`, filter)} and ${behind(sql`started_at`, QUERY_KEY, place, order)} and ${seen(sees, filter)}
          and (${who ?? null}::text is null or caller = ${who ?? null} or caller_id = ${who ?? null})
          and (${target ?? null}::text is null or ${TARGET_OF_QUERY} = ${target ?? null})
          and (${outcome ?? null}::text is null or (case outcome when 'succeeded' then 'done' else 'failed' end) = ${outcome ?? null})
        order by started_at ${way}, query_log.id ${way}
        limit ${count})`
  }
}

function seen(sees: readonly Where[], { gateway }: AuditFilter): RawBuilder<unknown> {
  const each = sees.map(({ gateways }) => sql`gateway_id = any(${[...gateways]})`)
  const wanted = gateway === undefined ? [] : [sql`gateway_id = (select gateway.id from gateway where gateway.name = ${gateway})`]
  return sql.join([sql`true`, ...each, ...wanted], sql` and `)
}

function within(at: RawBuilder<unknown>, { since, until }: AuditFilter): RawBuilder<unknown> {
  return sql`${since === undefined ? sql`true` : sql`${at} >= ${since}::timestamptz`} and ${until === undefined ? sql`true` : sql`${at} < ${until}::timestamptz`}`
}

/** The first condition is what an index can follow. */
function behind(
  at: RawBuilder<unknown>,
  key: RawBuilder<unknown>,
  place: AuditPlace | undefined,
  order: AuditPage['order'],
): RawBuilder<unknown> {
  if (!place) return sql`true`
  return order === 'newest'
    ? sql`${at} <= ${place.at}::timestamptz and (${at}, ${key}) < (${place.at}::timestamptz, ${place.key})`
    : sql`${at} >= ${place.at}::timestamptz and (${at}, ${key}) > (${place.at}::timestamptz, ${place.key})`
}
