import type { QueryLimits } from '@postern/protocol/api/query-limits.ts'
import type { TokenRole } from '@postern/protocol/api/tokens.ts'
import type { PersonId, TokenId } from '@postern/protocol/ids.ts'
import type { Generated } from 'kysely'
import type { Json } from '../db/tables.ts'
import type { NamedRole } from './token-repository.ts'

export interface TokenTables {
  token: {
    id: TokenId
    name: string
    hash: string
    role: TokenRole
    roles: Json<readonly NamedRole[]>
    owner_id: PersonId | null
    limits: Json<QueryLimits>
    created_at: Generated<Date>
    created_by: string
    expires_at: Date | null
  }
}
