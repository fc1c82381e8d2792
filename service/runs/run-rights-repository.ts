import type { GatewayId, RunId, StoreId } from '@postern/protocol/ids.ts'
import { sql } from 'kysely'
import type { Db } from '../db/database.ts'
import type { Acting } from './acting-callers.ts'

export interface ActingRun {
  readonly id: RunId
  readonly name: string
  readonly gatewayId: GatewayId
  readonly acting: Acting
  /** Both ends, and where rows go that do not fit; without those that were deleted. */
  readonly stores: readonly { readonly id: StoreId; readonly name: string; readonly gatewayId: GatewayId }[]
}

/** All the SQL of whose rights a run goes on with. */
export class RunRightsRepository {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  /** It is started, or run again, with these rights. */
  async actFor(id: RunId, { name, principal, token }: Acting): Promise<void> {
    await sql`
      update run
         set acting_for = ${name}, acting_for_id = ${principal}, acting_token_id = ${token}
       where id = ${id}`.execute(this.#db)
  }

  async keepRejects(id: RunId, store: StoreId): Promise<void> {
    await sql`update run set rejects_id = ${store} where id = ${id}`.execute(this.#db)
  }

  /** Whether it goes on with these still: others may have run it again meanwhile. */
  async actsFor(id: RunId, { principal, token }: Acting): Promise<boolean> {
    const { rows } = await sql`
      select from run where id = ${id} and acting_for_id = ${principal} and acting_token_id is not distinct from ${token}`.execute(this.#db)
    return rows.length > 0
  }

  /** Runs that go on, or wait to. */
  async active(): Promise<ActingRun[]> {
    const { rows } = await sql<ActingRun>`
      select r.id, r.name, r.gateway_id as "gatewayId",
             jsonb_build_object('name', r.acting_for, 'principal', r.acting_for_id, 'token', r.acting_token_id) as acting,
             (select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'name', s.name, 'gatewayId', s.gateway_id)), '[]')
                from store as s
               where s.id in (r.source_id, r.sink_id, r.rejects_id)) as stores
        from run as r
       where r.status in ('queued', 'running') and r.acting_for_id is not null`.execute(this.#db)
    return rows
  }
}
