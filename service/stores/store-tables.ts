import type { Labels } from '@postern/protocol/api/gateways.ts'
import type { StoreLimits } from '@postern/protocol/api/query-limits.ts'
import type { StoreSettings } from '@postern/protocol/api/stores.ts'
import type { GatewayId, StoreId } from '@postern/protocol/ids.ts'
import type { Generated } from 'kysely'
import type { Json } from '../db/tables.ts'

export interface StoreTables {
  store: {
    id: StoreId
    name: string
    gateway_id: GatewayId
    kind: string
    version: Generated<number>
    settings: Json<StoreSettings>
    sealed: string | null
    secrets: string[]
    secrets_version: string | null
    node_labels: Json<Labels>
    limits: Json<StoreLimits>
    created_at: Generated<Date>
    updated_at: Generated<Date>
  }
}
