import type { GatewayId, GrantId, GroupId, PersonId, StoreId, TokenId } from '@postern/protocol/ids.ts'
import type { Generated } from 'kysely'
import type { AnyRole } from './permissions.ts'

export interface RightsTables {
  people_group: {
    id: GroupId
    name: string
    description: Generated<string>
    created_at: Generated<Date>
    created_by: string
  }
  group_member: {
    group_id: GroupId
    principal_id: PersonId | TokenId
    source: Generated<'local' | 'oidc'>
    added_at: Generated<Date>
  }
  role_grant: {
    id: GrantId
    principal_id: PersonId | GroupId | TokenId
    role: AnyRole
    gateway_id: GatewayId | null
    store_id: StoreId | null
    created_at: Generated<Date>
    created_by: string
  }
}
