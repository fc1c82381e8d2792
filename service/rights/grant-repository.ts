import type { GatewayId, GrantId, GroupId, PersonId, StoreId, TokenId } from '@postern/protocol/ids.ts'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../db/database.ts'
import type { AnyRole } from './permissions.ts'
import type { Place, RoleAt, Where } from './rights.ts'

export type PrincipalId = PersonId | GroupId | TokenId

export interface GrantRow {
  readonly id: GrantId
  readonly principalId: PrincipalId
  /** Null where it is gone. */
  readonly principal: string | null
  readonly role: AnyRole
  /** Of the store too. */
  readonly gatewayId: GatewayId | null
  readonly gateway: string | null
  readonly storeId: StoreId | null
  readonly store: string | null
  readonly createdAt: Date
  readonly createdBy: string
}

export interface NewGrant {
  readonly id: GrantId
  readonly principalId: PrincipalId
  readonly role: AnyRole
  readonly gatewayId: GatewayId | null
  readonly storeId: StoreId | null
  readonly createdBy: string
}

/** All must hold; `own` are shown whatever holds. */
export interface GrantFilter {
  readonly sees: readonly Where[]
  readonly own: readonly PrincipalId[]
  readonly principal?: PrincipalId | undefined
  /** Of a gateway: with its stores; neither gateway nor store: on the whole service. */
  readonly on?: Place | undefined
}

const ROW: RawBuilder<GrantRow> = sql`
  g.id, g.principal_id as "principalId", g.role, coalesce(g.gateway_id, s.gateway_id) as "gatewayId", w.name as gateway, g.store_id as "storeId",
  s.name as store, g.created_at as "createdAt", g.created_by as "createdBy",
  coalesce('person/' || p.name, 'group/' || m.name, 'token/' || t.name) as principal`
const FROM = sql`
  role_grant as g
  left join store as s on s.id = g.store_id
  left join gateway as w on w.id = coalesce(g.gateway_id, s.gateway_id)
  left join person as p on p.id = g.principal_id
  left join people_group as m on m.id = g.principal_id
  left join token as t on t.id = g.principal_id`

function placeIs(on: Place | undefined): RawBuilder<unknown> {
  if (on === undefined) return sql`true`
  if (on.store !== undefined) return sql`g.store_id = ${on.store}`
  if (on.gateway !== undefined) return sql`coalesce(g.gateway_id, s.gateway_id) = ${on.gateway}`
  return sql`g.gateway_id is null and g.store_id is null`
}

interface Given {
  readonly groups: readonly GroupId[]
  readonly grants: readonly { readonly role: AnyRole; readonly gateway: GatewayId | null; readonly store: StoreId | null }[]
}

/** All the SQL of grants. */
export class GrantRepository {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  /** What was given to it and to its groups. */
  async givenTo(principal: PrincipalId): Promise<{ readonly groups: readonly GroupId[]; readonly grants: readonly RoleAt[] }> {
    const { rows } = await sql<Given>`
      with mine as (select distinct group_id from group_member where principal_id = ${principal})
      select coalesce((select json_agg(group_id) from mine), '[]') as groups,
             coalesce((select json_agg(json_build_object('role', g.role, 'gateway', coalesce(g.gateway_id, s.gateway_id), 'store', g.store_id))
                         from role_grant as g
                         left join store as s on s.id = g.store_id
                        where g.principal_id = ${principal} or g.principal_id in (select group_id from mine)), '[]') as grants`.execute(
      this.#db,
    )
    const { groups = [], grants = [] } = rows[0] ?? {}
    return {
      groups,
      grants: grants.map(({ role, gateway, store }) => ({ role, ...(gateway ? { gateway } : {}), ...(store ? { store } : {}) })),
    }
  }

  /** Undefined where it was given before. */
  async add(grant: NewGrant): Promise<boolean> {
    const { numInsertedOrUpdatedRows } = await this.#db
      .insertInto('role_grant')
      .values({
        id: grant.id,
        principal_id: grant.principalId,
        role: grant.role,
        gateway_id: grant.gatewayId,
        store_id: grant.storeId,
        created_by: grant.createdBy,
      })
      .onConflict((conflict) => conflict.constraint('role_grant_once').doNothing())
      .executeTakeFirst()
    return (numInsertedOrUpdatedRows ?? 0n) > 0n
  }

  async same({ principalId, role, gatewayId, storeId }: NewGrant): Promise<GrantRow | undefined> {
    const { rows } = await sql<GrantRow>`
      select ${ROW} from ${FROM}
       where g.principal_id = ${principalId} and g.role = ${role} and g.gateway_id is not distinct from ${gatewayId}
         and g.store_id is not distinct from ${storeId}`.execute(this.#db)
    return rows[0]
  }

  async find(id: GrantId): Promise<GrantRow | undefined> {
    const { rows } = await sql<GrantRow>`select ${ROW} from ${FROM} where g.id = ${id}`.execute(this.#db)
    return rows[0]
  }

  async page({ sees, own, principal, on }: GrantFilter, after: string, count: number): Promise<GrantRow[]> {
    const seen = sees.map(
      (where) => sql`(coalesce(g.gateway_id, s.gateway_id) = any(${[...where.gateways]}) or g.store_id = any(${[...where.stores]}))`,
    )
    const visible = seen.length === 0 ? sql`true` : sql`(${sql.join(seen, sql` and `)}) or g.principal_id = any(${[...own]})`
    const { rows } = await sql<GrantRow>`
      select ${ROW} from ${FROM}
       where g.id > ${after} and (${visible})
         and (${principal ?? null}::text is null or g.principal_id = ${principal ?? null})
         and ${placeIs(on)}
       order by g.id
       limit ${count}`.execute(this.#db)
    return rows
  }

  async delete(id: GrantId): Promise<boolean> {
    const { numDeletedRows } = await this.#db.deleteFrom('role_grant').where('id', '=', id).executeTakeFirst()
    return numDeletedRows > 0n
  }

  /** Of a person, group or token that is deleted, with a person's own tokens; in that transaction. */
  async forget(principal: PrincipalId, db: Db = this.#db): Promise<void> {
    await db.deleteFrom('role_grant').where('principal_id', '=', principal).execute()
    await db
      .deleteFrom('group_member')
      .where('principal_id', '=', principal as PersonId)
      .execute()
    await db
      .deleteFrom('token')
      .where('owner_id', '=', principal as PersonId)
      .execute()
  }
}
