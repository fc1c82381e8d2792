import { z } from 'zod'

/** What protects a store, or holds a caller back. Of several that apply to a query the strictest wins. */
export const QueryLimits = z.strictObject({
  /** From the arrival of the query to its last byte. */
  timeoutMs: z.int().min(1).max(86_400_000).optional(),
  /** A result with more rows is cut. */
  maxRows: z.int().min(1).optional(),
  /** A result with more bytes, in the format that was asked for, is cut. */
  maxBytes: z.int().min(1).optional(),
  /** Queries at a time, by each replica of the service. */
  concurrency: z.int().min(1).max(100_000).optional(),
})
export type QueryLimits = z.infer<typeof QueryLimits>

/** What is not named stays; null takes a limit away. */
export const QueryLimitsChange = z.strictObject({
  timeoutMs: QueryLimits.shape.timeoutMs.nullable(),
  maxRows: QueryLimits.shape.maxRows.nullable(),
  maxBytes: QueryLimits.shape.maxBytes.nullable(),
  concurrency: QueryLimits.shape.concurrency.nullable(),
})
export type QueryLimitsChange = z.infer<typeof QueryLimitsChange>

/** "maxRows=1000 timeoutMs=5000"; empty where there is none. */
export const limitsInWords = (limits: QueryLimits): string =>
  Object.entries(limits)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
