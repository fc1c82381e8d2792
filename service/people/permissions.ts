import type { QueryLimits } from '@postern/protocol/api/query-limits.ts'
import type { TokenId } from '@postern/protocol/ids.ts'

/** What a caller may do, as strings that routes name in `config.needs`. */
export const PERMISSIONS = [
  'gateways:read',
  'gateways:write',
  'gateways:keys',
  'nodes:read',
  'nodes:write',
  'stores:read',
  'stores:write',
  'stores:query',
  'stores:connect',
  'queries:read',
  'runs:read',
  'runs:write',
  'events:read',
  'tokens:read',
  'tokens:write',
  'audit:read',
] as const
export type Permission = (typeof PERMISSIONS)[number]

export type Role = 'administrator' | 'operator' | 'user' | 'reader'

const reader = ['gateways:read', 'nodes:read', 'stores:read', 'queries:read', 'runs:read', 'events:read'] as const
const user = [...reader, 'stores:query', 'stores:connect', 'runs:write'] as const
const operator = [...user, 'gateways:write', 'nodes:write', 'stores:write', 'audit:read'] as const

export const ROLES = {
  /** Everything. */
  administrator: new Set<Permission>(PERMISSIONS),
  /** Runs gateways and stores; cannot see keys or make tokens. */
  operator: new Set<Permission>(operator),
  /** Queries and copies. */
  user: new Set<Permission>(user),
  /** Looks. */
  reader: new Set<Permission>(reader),
} as const satisfies Record<Role, ReadonlySet<Permission>>

/** Who asks: shown in queries, runs and the audit. */
export interface Caller {
  readonly id: TokenId
  readonly name: string
  readonly role: Role
  readonly may: ReadonlySet<Permission>
  /** Of each query. */
  readonly limits: QueryLimits
}
