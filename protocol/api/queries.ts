import { z } from 'zod'
import { Name, QueryId } from '../ids.ts'
import { LIMITS } from '../limits.ts'

export const QueryFormat = z.enum(['json', 'ndjson', 'csv', 'arrow'])
export type QueryFormat = z.infer<typeof QueryFormat>

export const QueryParam = z.union([z.null(), z.string(), z.number(), z.boolean()], {
  error: 'must be a text, a number, true, false or null',
})
export const QueryRequest = z.strictObject({
  sql: z.string().min(1).max(LIMITS.sqlChars),
  /** Values of $1, $2, …; sent apart from the statement, never spliced into it. */
  params: z.array(QueryParam).max(1_000).default([]),
  mode: z.enum(['read', 'write']).default('read'),
  /** The result ends after so many rows. */
  maxRows: z.int().min(1).optional(),
  timeoutMs: z.int().min(1).max(86_400_000).optional(),
})
export type QueryRequest = z.input<typeof QueryRequest>

/** One node that was thought of for a query. */
export const Candidate = z.object({ node: Name, taken: z.boolean(), reason: z.string() })
export const QueryAttempt = z.object({
  node: Name,
  startedAt: z.iso.datetime(),
  durationMs: z.number(),
  outcome: z.enum(['answered', 'failed', 'cancelled']),
  fault: z.string().nullable(),
})
export const QueryOutcome = z.enum(['running', 'succeeded', 'failed', 'cancelled'])
export const QueryView = z.object({
  id: QueryId,
  store: Name,
  gateway: Name,
  caller: z.string(),
  node: Name.nullable(),
  outcome: QueryOutcome,
  startedAt: z.iso.datetime(),
  queuedMs: z.number(),
  firstRowMs: z.number().nullable(),
  durationMs: z.number().nullable(),
  rows: z.number(),
  bytes: z.number(),
  fault: z.string().nullable(),
  /** Null unless the gateway's setting keepSqlText was on when it was asked. */
  sql: z.string().nullable(),
  candidates: z.array(Candidate),
  attempts: z.array(QueryAttempt),
})
export type QueryView = z.infer<typeof QueryView>
