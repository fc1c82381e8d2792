import { z } from 'zod'
import { TokenId } from '../ids.ts'
import { QueryLimits } from './query-limits.ts'

/** On the whole service; `none`: only what is given on gateways and stores. */
export const RoleName = z.enum(['administrator', 'operator', 'user', 'reader', 'none'])
export type RoleName = z.infer<typeof RoleName>

export const TokenView = z.object({
  id: TokenId,
  name: z.string(),
  role: RoleName,
  /** Of each query that is asked with it. */
  limits: QueryLimits,
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
  expiresAt: z.iso.datetime().nullable(),
})
export type TokenView = z.infer<typeof TokenView>

export const TokenCreate = z.strictObject({
  name: z.string().min(1).max(63),
  role: RoleName,
  limits: QueryLimits.default({}),
  expiresAt: z.iso.datetime().optional(),
})
export type TokenCreate = z.input<typeof TokenCreate>

/** The only answer that holds the token. */
export const TokenCreated = TokenView.extend({ token: z.string() })
export type TokenCreated = z.infer<typeof TokenCreated>
