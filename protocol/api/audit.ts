import { z } from 'zod'
import { Name } from '../ids.ts'

export const AuditOutcome = z.enum(['done', 'refused', 'failed'])
export type AuditOutcome = z.infer<typeof AuditOutcome>

export const AuditView = z.object({
  /** Of a query: its id. */
  id: z.union([z.int(), z.string()]),
  at: z.iso.datetime(),
  /** A person or token, `PERSON/TOKEN` of a person's own token, or `node NAME`. */
  who: z.string(),
  whoId: z.string().nullable(),
  /** What was done: `store.set`; of what was refused or failed, the request: `DELETE /v1/stores/:store`. */
  action: z.string(),
  target: z.string(),
  ip: z.string().nullable(),
  /** `refused`: not allowed, or not who it claimed to be. `failed`: allowed, and not done. */
  outcome: AuditOutcome,
  details: z.record(z.string(), z.unknown()),
})
export type AuditView = z.infer<typeof AuditView>

const time = z.iso.datetime({ offset: true })

/** All that are given must hold. */
export const AuditFilter = z.object({
  who: z.string().max(200).optional().meta({ description: 'Only what this person, token or node did, by name or id' }),
  action: z.string().max(200).optional().meta({ description: 'Only this action, or all that begin so: `store`, `store.set`' }),
  target: z.string().max(500).optional().meta({ description: 'Only what was done to this: `store shop`' }),
  gateway: Name.optional().meta({ description: 'Only what was done to this gateway, its nodes, stores and runs' }),
  outcome: AuditOutcome.optional(),
  since: time.optional().meta({ description: 'Then or later' }),
  until: time.optional().meta({ description: 'Before then' }),
  queries: z
    .enum(['true', 'false'])
    .default('false')
    .transform((value) => value === 'true')
    .meta({ description: 'With the queries of the query log, as `store.query`' }),
})
export type AuditFilter = z.output<typeof AuditFilter>

export const AuditFormat = z.enum(['ndjson', 'csv'])
export type AuditFormat = z.infer<typeof AuditFormat>

/** `keepDays` 0: for ever. Queries are kept as long as their gateway says (`queryLogDays`). */
export const AuditSettings = z.strictObject({ keepDays: z.int().min(0).max(36_500) })
export type AuditSettings = z.infer<typeof AuditSettings>
