import type { SettingsChange } from '@postern/protocol/api/gateways.ts'
import type { GatewayId } from '@postern/protocol/ids.ts'
import type { Generated } from 'kysely'
import type { Defaulted, Json } from '../db/tables.ts'

export interface GatewayTables {
  gateway: {
    id: GatewayId
    name: string
    settings: Json<SettingsChange>
    public_key: string | null
    recovery_key_at: Defaulted<Date | null>
    stores_version: Generated<number>
    created_at: Generated<Date>
    changed_at: Generated<Date>
  }
  gateway_key: {
    gateway_id: GatewayId
    slot: 1 | 2
    hash: string
    hint: string
    verifier: string | null
    created_at: Generated<Date>
  }
  gateway_recovery: {
    gateway_id: GatewayId
    public_key: string
    recovery_key: string
    stamp: string
    sealed: string
    made_by: string
  }
}
