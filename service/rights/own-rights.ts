import type { OwnRights } from '@postern/protocol/api/rights.ts'
import type { GatewayId, StoreId } from '@postern/protocol/ids.ts'
import { sql } from 'kysely'
import type { Db } from '../db/database.ts'
import type { Caller } from './caller.ts'
import { PERMISSIONS, type Permission } from './permissions.ts'

const NAMES = Object.keys(PERMISSIONS) as readonly Permission[]

interface PlaceRow {
  readonly on: string
  readonly gateway: GatewayId
  readonly store: StoreId | null
}

/** What the caller may, asked of the same `may` that the doors ask. Whose rights are on the whole service needs no database for it. */
export async function ownRights(caller: Caller, db: Db): Promise<OwnRights> {
  const service = NAMES.filter((permission) => caller.may(permission))
  const { gateways, stores } = caller.places()
  if (gateways.length === 0 && stores.length === 0) return { service, places: [] }
  const { rows } = await sql<PlaceRow>`
      select 'gateway/' || name as "on", id as gateway, null as store from gateway where id = any(${[...gateways]})
   union all
      select 'store/' || name, gateway_id, id from store where id = any(${[...stores]})
    order by 1`.execute(db)
  const places = rows.map(({ on, gateway, store }) => ({
    on,
    permissions: NAMES.filter((permission) => caller.may(permission, { gateway, store: store ?? undefined })),
  }))
  return { service, places }
}
