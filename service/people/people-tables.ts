import type { OidcProvider } from '@postern/protocol/api/oidc.ts'
import type { PersonId, SignInId } from '@postern/protocol/ids.ts'
import type { ColumnType, Generated } from 'kysely'
import type { Defaulted, Json } from '../db/tables.ts'
import type { Role } from '../rights/permissions.ts'

export interface PeopleTables {
  person: {
    id: PersonId
    name: string
    display_name: string
    email: string | null
    role: Role
    disabled: Defaulted<boolean>
    password: string | null
    password_once: Defaulted<boolean>
    issuer: string | null
    subject: string | null
    created_at: Generated<Date>
    created_by: string
    signed_in_at: Date | null
  }
  sign_in: {
    id: SignInId
    person_id: PersonId
    hash: string
    way: string
    created_at: Generated<Date>
    used_at: Generated<Date>
    expires_at: Date
    address: string | null
    agent: string
  }
  sign_in_settings: {
    only_one: Generated<boolean>
    idle_seconds: number
    life_seconds: number
  }
  oidc_provider: {
    name: string
    settings: Json<OidcProvider>
    created_at: Generated<Date>
    changed_at: ColumnType<Date, never, Date>
  }
  oidc_flow: {
    state_hash: string
    browser_hash: string
    provider: string
    back: string
    port: number | null
    port_state: string | null
    port_challenge: string | null
    expires_at: Date
  }
  oidc_handover: {
    code_hash: string
    person_id: PersonId
    provider: string
    challenge: string
    expires_at: Date
  }
}
