import type { QueryLimits } from '@postern/protocol/api/query-limits.ts'
import type { TokenId } from '@postern/protocol/ids.ts'
import type { Generated } from 'kysely'
import type { Json } from '../db/tables.ts'
import type { Role } from './permissions.ts'

export interface TokenTables {
  token: {
    id: TokenId
    name: string
    hash: string
    role: Role
    limits: Json<QueryLimits>
    created_at: Generated<Date>
    created_by: string
    expires_at: Date | null
  }
}
