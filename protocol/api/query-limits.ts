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
  /** Connections at a time (PostgreSQL wire, `postern connect`), by each replica of the service; 0: none. */
  connections: z.int().min(0).max(100_000).optional(),
})
export type QueryLimits = z.infer<typeof QueryLimits>

/** Of a store: of each query, and of all copies that read or write it together. */
export const StoreLimits = z.strictObject({
  ...QueryLimits.shape,
  /** Shared by the copies that move, over all nodes. */
  rowsPerSecond: z.int().min(1).max(1_000_000_000).optional(),
  bytesPerSecond: z.int().min(1_024).max(1_000_000_000_000).optional(),
  /** Copy tasks that use the store at a time, over all nodes. */
  copyTasks: z.int().min(1).max(100_000).optional(),
})
export type StoreLimits = z.infer<typeof StoreLimits>

/** What is not named stays; null takes a limit away. */
export const StoreLimitsChange = z.strictObject({
  timeoutMs: StoreLimits.shape.timeoutMs.nullable(),
  maxRows: StoreLimits.shape.maxRows.nullable(),
  maxBytes: StoreLimits.shape.maxBytes.nullable(),
  concurrency: StoreLimits.shape.concurrency.nullable(),
  connections: StoreLimits.shape.connections.nullable(),
  rowsPerSecond: StoreLimits.shape.rowsPerSecond.nullable(),
  bytesPerSecond: StoreLimits.shape.bytesPerSecond.nullable(),
  copyTasks: StoreLimits.shape.copyTasks.nullable(),
})
export type StoreLimitsChange = z.infer<typeof StoreLimitsChange>

/** "maxRows=1000 timeoutMs=5000"; empty where there is none. */
export const limitsInWords = (limits: QueryLimits | StoreLimits): string =>
  Object.entries(limits)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
