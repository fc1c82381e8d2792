import { z } from 'zod'
import { TokenId } from '../ids.ts'
import { GrantRole, PlaceText } from './grants.ts'
import { QueryLimits } from './query-limits.ts'

/** On the whole service; `none`: only what is given on gateways and stores. */
export const RoleName = z.enum(['administrator', 'operator', 'user', 'reader', 'none'])
export type RoleName = z.infer<typeof RoleName>

/** `owner`: of a person's own token, all that the person may. */
export const TokenRole = z.enum([...RoleName.options, 'owner'])
export type TokenRole = z.infer<typeof TokenRole>

/** A role on one gateway or store. */
export const RoleOn = z.strictObject({ role: GrantRole, on: PlaceText })

export const TokenView = z.object({
  id: TokenId,
  name: z.string(),
  role: TokenRole,
  /** On gateways and stores. Of a person's own token: what it is kept to. */
  roles: z.array(z.object({ role: GrantRole, on: z.string() })),
  /** `person/ann`: her own token, which can never do more than she may. Null: a service token. */
  owner: z.string().nullable(),
  /** Of each query that is asked with it. */
  limits: QueryLimits,
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
  expiresAt: z.iso.datetime().nullable(),
})
export type TokenView = z.infer<typeof TokenView>

export const TokenCreate = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(63)
    .regex(/^[^/]*$/, 'no "/"'),
  /** Left out: `none` where `roles` are given; of one's own token, all that one may. */
  role: RoleName.optional(),
  roles: z.array(RoleOn).max(100).default([]),
  /** One's own: it can never do more than oneself. Otherwise a service token, which needs `tokens:write`. */
  forMe: z.boolean().default(false),
  limits: QueryLimits.default({}),
  expiresAt: z.iso.datetime().optional(),
})
export type TokenCreate = z.input<typeof TokenCreate>

/** The only answer that holds the token. */
export const TokenCreated = TokenView.extend({ token: z.string() })
export type TokenCreated = z.infer<typeof TokenCreated>
