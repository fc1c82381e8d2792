import type { GatewayId } from '@postern/protocol/ids.ts'
import type { Generated } from 'kysely'
import type { Json } from '../db/tables.ts'

export interface AuditTables {
  audit_settings: {
    keep_days: number
  }
  audit: {
    id: Generated<number>
    at: Generated<Date>
    who: string
    action: string
    target: string
    ip: string | null
    who_id: string | null
    gateway_id: GatewayId | null
    outcome: Generated<'done' | 'refused' | 'failed'>
    details: Json<Readonly<Record<string, unknown>>>
  }
}
