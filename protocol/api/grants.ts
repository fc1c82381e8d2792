import { z } from 'zod'
import { GrantId, GroupId, Name } from '../ids.ts'

/** Roles that are given to people, groups and service tokens; where each can be given says docs/reference/permissions.md. */
export const GrantRole = z.enum([
  'administrator',
  'operator',
  'user',
  'gateway-admin',
  'store-creator',
  'store-owner',
  'store-user',
  'reader',
])
export type GrantRole = z.infer<typeof GrantRole>

/** Who: `person/ann`, `group/analysts`, `token/ci`. A token is named by its name, or by its id where others have the same name. */
export const PrincipalText = z
  .string()
  .regex(/^(person|group|token)\/[^/\s]{1,127}$/, 'person/NAME, group/NAME or token/NAME')
  .meta({ description: 'person/NAME, group/NAME or token/NAME' })

/** Where: `service`, `gateway/demo`, `store/shop`. */
export const PlaceText = z
  .string()
  .regex(/^(service|(gateway|store)\/[A-Za-z0-9._-]{1,63})$/, 'service, gateway/NAME or store/NAME')
  .meta({ description: 'service, gateway/NAME or store/NAME' })

export const GrantCreate = z.strictObject({ to: PrincipalText, role: GrantRole, on: PlaceText })
export type GrantCreate = z.input<typeof GrantCreate>

export const GrantView = z.object({
  id: GrantId,
  to: z.string(),
  role: GrantRole,
  on: z.string(),
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
})
export type GrantView = z.infer<typeof GrantView>

const Description = z.string().trim().max(500)
export const GroupCreate = z.strictObject({ name: Name, description: Description.default('') })
export type GroupCreate = z.input<typeof GroupCreate>

export const GroupChange = z.strictObject({ description: Description })
export type GroupChange = z.input<typeof GroupChange>

export const GroupSummary = z.object({
  id: GroupId,
  name: Name,
  description: z.string(),
  members: z.int(),
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
})
export type GroupSummary = z.infer<typeof GroupSummary>

export const GroupView = GroupSummary.extend({
  /** `source`: who says so, people here or the groups of an OpenID Connect provider. */
  memberList: z.array(z.object({ who: z.string(), source: z.enum(['local', 'oidc']) })),
})
export type GroupView = z.infer<typeof GroupView>
