/** How long a token of Vault lives and what can be done about it, by what Vault says of it. Pure. */
import { z } from 'zod'

/** `auth/token/lookup-self`; times in seconds. */
export const TokenSelf = z.object({
  data: z.object({
    ttl: z.number().nonnegative(),
    /** Null: it never ends. */
    expire_time: z.string().nullable().optional(),
    creation_ttl: z.number().nonnegative().optional(),
    /** Each renewal gives it so long. */
    period: z.number().nonnegative().optional(),
    renewable: z.boolean().optional(),
  }),
})

/** `auth/token/renew-self`. */
export const TokenRenewed = z.object({ auth: z.object({ lease_duration: z.number().nonnegative(), renewable: z.boolean() }) })

export interface TokenLife {
  /** Infinite: it does not end. */
  readonly leftMs: number
  /** What it was made with; a renewal asks for no more. */
  readonly wholeSeconds: number
  readonly renewable: boolean
}

export function tokenLife({ data }: z.output<typeof TokenSelf>): TokenLife {
  const endless = data.ttl === 0 && !data.expire_time
  return {
    leftMs: endless ? Number.POSITIVE_INFINITY : data.ttl * 1_000,
    wholeSeconds: data.period || data.creation_ttl || 0,
    renewable: data.renewable === true,
  }
}

/** One that was found with more than half of its life behind it is renewed now: who knows when the half is over. */
export const isLate = ({ leftMs, wholeSeconds }: TokenLife): boolean => leftMs < wholeSeconds * 500

/** Vault grants a renewal beyond the longest life of a token too, and gives what is left. Its seconds are rounded. */
export const wasExtended = (beforeMs: number, afterMs: number): boolean => afterMs > beforeMs + ROUNDED_MS

const ROUNDED_MS = 2_000
/** A timer holds at most 24.8 days; and a token may be revoked while nobody uses it. */
const LONGEST_MS = 3_600_000
const SHORTEST_MS = 1_000

/** Until about half of its life is over, ± 10 %: nodes that were given tokens together do not all come at once. */
export function pauseBeforeRenewal(leftMs: number, fraction: number): number {
  return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, leftMs * (0.45 + 0.1 * fraction)))
}
