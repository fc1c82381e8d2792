import type { Generated } from 'kysely'
import type { Json } from '../db/tables.ts'

export interface AuditTables {
  audit: {
    id: Generated<number>
    at: Generated<Date>
    who: string
    action: string
    target: string
    ip: string | null
    details: Json<Readonly<Record<string, unknown>>>
  }
}
