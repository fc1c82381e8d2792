/** What may be done, and the roles that allow it. `docs/reference/permissions.md` is made from here. */

import type { PermissionName } from '@postern/protocol/api/rights.ts'

/** Where a role can be given, from the widest to the narrowest. What is given on a gateway holds on each of its stores. */
export const SCOPES = ['service', 'gateway', 'store'] as const
export type Scope = (typeof SCOPES)[number]

/** Routes name one of these in `config.needs`. `on`: the narrowest place where it can be had. */
export const PERMISSIONS = {
  'gateways:read': { on: 'gateway', says: 'See a gateway, its status and settings' },
  'gateways:write': { on: 'gateway', says: 'Change or delete a gateway, end connections through it; on the service: create one' },
  'gateways:keys': { on: 'gateway', says: 'See the hints of authentication keys, make new ones' },
  'nodes:read': { on: 'gateway', says: 'See nodes' },
  'nodes:write': { on: 'gateway', says: 'Change, drain, disable and delete nodes' },
  'stores:read': { on: 'store', says: 'See a store and its settings, never its secrets' },
  'stores:create': { on: 'gateway', says: 'Create a store; who does owns it' },
  'stores:write': { on: 'store', says: 'Change settings and credential of a store, delete it' },
  'stores:query': { on: 'store', says: 'Query a store, test and browse it' },
  'stores:connect': { on: 'store', says: "Connect to a store in the store's own protocol" },
  'queries:read': { on: 'store', says: 'See queries and connections of others' },
  'runs:read': { on: 'store', says: 'See runs of others; on both ends of the copy, or on the gateway that runs it' },
  'runs:write': { on: 'store', says: 'Copy from and to a store; cancel, rerun and repair runs of others' },
  'grants:read': { on: 'store', says: 'See who has which role' },
  'grants:write': { on: 'store', says: 'Give and take roles, none that allows more than one has' },
  'people:read': { on: 'service', says: 'See people and groups' },
  'people:write': { on: 'service', says: 'Make, change and delete people and groups' },
  'tokens:read': { on: 'service', says: 'See all tokens' },
  'tokens:write': { on: 'service', says: 'Make service tokens, delete any token' },
  'audit:read': { on: 'gateway', says: 'Read and export the audit; on a gateway: what is of it, its nodes, stores and runs' },
  'audit:write': { on: 'service', says: 'Change how long the audit is kept; nobody can change what it says' },
} as const satisfies Record<PermissionName, { readonly on: Scope; readonly says: string }>
export type Permission = keyof typeof PERMISSIONS

const looks = ['gateways:read', 'nodes:read', 'stores:read', 'queries:read', 'runs:read'] as const
const uses = ['stores:read', 'stores:query', 'stores:connect', 'queries:read', 'runs:read', 'runs:write'] as const
const owns = [...uses, 'stores:write', 'grants:read', 'grants:write'] as const
const operates = [...looks, ...uses, 'gateways:write', 'nodes:write', 'stores:create', 'stores:write', 'audit:read'] as const
const administers = [...looks, ...owns, 'gateways:write', 'gateways:keys', 'nodes:write', 'stores:create', 'audit:read'] as const
const everything = Object.keys(PERMISSIONS) as readonly Permission[]

const role = <const On extends readonly Scope[]>(on: On, says: string, may: readonly Permission[]) => ({
  on,
  says,
  may: new Set(may) as ReadonlySet<Permission>,
})

export const ROLES = {
  administrator: role(['service'], 'Everything', everything),
  operator: role(['service'], 'Runs gateways, nodes and stores; sees no keys, gives no roles, makes no tokens', operates),
  user: role(['service'], 'Queries and copies on all stores', [...looks, ...uses]),
  'gateway-admin': role(['gateway'], 'Settings, nodes, keys and stores of a gateway, roles on them, and its audit', administers),
  'store-creator': role(['gateway'], 'Creates stores on a gateway, and owns those', ['gateways:read', 'nodes:read', 'stores:create']),
  'store-owner': role(['store'], 'Settings, credential and roles of a store; sees its gateway, whose key seals the credential', owns),
  'store-user': role(['gateway', 'store'], 'Queries a store, connects to it, copies from and to it', uses),
  reader: role(['service', 'gateway', 'store'], 'Looks', looks),
} as const
export type AnyRole = keyof typeof ROLES

/** Of people and tokens themselves, from the least to the most; each allows what those before it do. */
export const SERVICE_ROLES = ['none', 'reader', 'user', 'operator', 'administrator'] as const
export type Role = (typeof SERVICE_ROLES)[number]

/** What a person or token has on the whole service by its own role. */
export function permissionsOf(role: Role): ReadonlySet<Permission> {
  return role === 'none' ? NOTHING : ROLES[role].may
}

/** Roles that may be given at this scope. */
export function rolesOn(scope: Scope): readonly AnyRole[] {
  return (Object.keys(ROLES) as AnyRole[]).filter((name) => (ROLES[name].on as readonly Scope[]).includes(scope))
}

const NOTHING: ReadonlySet<Permission> = new Set()
