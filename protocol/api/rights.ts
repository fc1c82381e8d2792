/** What there is to be allowed, and what one is allowed oneself: for pages that offer only what can be done. */
import { z } from 'zod'

/** What each allows says `GET /v1/roles`, and docs/reference/permissions.md. */
export const PermissionName = z.enum([
  'gateways:read',
  'gateways:write',
  'gateways:keys',
  'nodes:read',
  'nodes:write',
  'stores:read',
  'stores:create',
  'stores:write',
  'stores:query',
  'stores:connect',
  'queries:read',
  'runs:read',
  'runs:write',
  'grants:read',
  'grants:write',
  'people:read',
  'people:write',
  'tokens:read',
  'tokens:write',
  'audit:read',
  'audit:write',
])
export type PermissionName = z.infer<typeof PermissionName>

export const ScopeName = z.enum(['service', 'gateway', 'store'])
export type ScopeName = z.infer<typeof ScopeName>

/** What one may oneself, with what one's groups give. */
export const OwnRights = z.object({
  /** Everywhere. */
  service: z.array(PermissionName),
  /** Where a role gives more than that. What holds on a gateway holds on its stores, which are named only where they have a role of their own. */
  places: z.array(
    z.object({
      /** `gateway/demo`, `store/shop` */
      on: z.string(),
      permissions: z.array(PermissionName),
    }),
  ),
})
export type OwnRights = z.infer<typeof OwnRights>

export const Roles = z.object({
  items: z.array(
    z.object({
      name: z.string(),
      /** Where it can be given. */
      on: z.array(ScopeName),
      says: z.string(),
      permissions: z.array(PermissionName),
    }),
  ),
  permissions: z.array(
    z.object({
      name: PermissionName,
      /** The narrowest place where it can be had. */
      on: ScopeName,
      says: z.string(),
    }),
  ),
})
export type Roles = z.infer<typeof Roles>
