import { z } from 'zod'
import { Name, RunId, TaskId } from '../ids.ts'

export const CopyMode = z.enum(['append', 'overwrite', 'upsert'])
export const Verify = z.enum(['none', 'counts', 'checksum'])
export const Guarantee = z.enum(['exactly-once', 'at-least-once'])
export type Guarantee = z.infer<typeof Guarantee>

/** Settings by name, as a connector's schema has them. */
const CopyOptions = z.record(z.string().max(64), z.union([z.string().max(4_096), z.number(), z.boolean()]))

/** Rows that the target cannot take are left out instead of failing the copy: up to `limit`, one more fails it. */
export const SkipIncompatibleRows = z.strictObject({
  limit: z.int().min(1).max(1_000_000_000).default(1_000),
  /** A folder of a file or object store of the same gateway for the rows left out, with why and where; only counted when left out. */
  rejects: z.strictObject({ store: Name, path: z.string().min(1).max(4_096) }).optional(),
})
export type SkipIncompatibleRows = z.infer<typeof SkipIncompatibleRows>

/** What to copy, as a person asks for it. */
export const CopyRequest = z.strictObject({
  source: Name,
  sink: Name,
  /** A table, a path or glob, or `(SELECT ...)`. */
  from: z.string().min(1).max(65_536),
  /** A table or a path. A path that ends in "/" gets one file a task, any other exactly one file. */
  to: z.string().min(1).max(4_096),
  mode: CopyMode.default('append'),
  /** Key columns for upsert. */
  key: z.array(z.string().min(1).max(63)).max(32).default([]),
  /** Into a folder of a store of files: columns by whose values rows go to folders in it, as `year=2026/month=1/`; the files are without them. */
  partitionBy: z.array(z.string().min(1).max(63)).min(1).max(8).optional(),
  /** How many tasks; by size when left out. */
  parts: z.int().min(1).max(10_000).optional(),
  /** The column to cut the source by; the connector's choice when left out. */
  splitBy: z.string().min(1).max(63).optional(),
  /** Only rows whose value in this column is above the one that the last successful copy of the same source, sink and column ended at. */
  watermark: z.string().min(1).max(63).optional(),
  verify: Verify.default('counts'),
  guarantee: Guarantee.default('exactly-once'),
  skipIncompatibleRows: SkipIncompatibleRows.optional(),
  /** Options of the source's kind for this copy alone: those of its settings that are marked as such ("delimiter"). */
  read: CopyOptions.default({}),
  /** The same of the sink's kind ("rowGroupRows"). */
  write: CopyOptions.default({}),
  /** The most parts that move at a time, over all nodes; as many as the nodes take when left out. */
  parallel: z.int().min(1).max(1_000).optional(),
  /** Of the whole run; shared by the parts that move. */
  rowsPerSecond: z.int().min(1).max(1_000_000_000).optional(),
  bytesPerSecond: z.int().min(1_024).max(1_000_000_000_000).optional(),
  /** The whole run fails after so long; never when left out. */
  timeoutMs: z
    .int()
    .min(1_000)
    .max(31 * 86_400_000)
    .optional(),
  /** How often a task is tried again after a fault that can pass. */
  retries: z.int().min(0).max(20).default(3),
  /** The only node that runs its tasks: for paths that no other node sees. */
  node: Name.optional(),
})
export type CopyRequest = z.input<typeof CopyRequest>
export type Copy = z.output<typeof CopyRequest>

export const RunStatus = z.enum(['queued', 'running', 'succeeded', 'failed', 'cancelled'])
export type RunStatus = z.infer<typeof RunStatus>
/** plan: look and prepare; part: move rows; snapshot: take a new one for the parts left; finish: publish and verify; repair: look for what differs; cleanup: take away what a cancelled run left. */
export const TaskKind = z.enum(['plan', 'part', 'snapshot', 'finish', 'repair', 'cleanup'])
export type TaskKind = z.infer<typeof TaskKind>
export const TaskStatus = z.enum(['waiting', 'ready', 'running', 'succeeded', 'failed', 'cancelled'])
export type TaskStatus = z.infer<typeof TaskStatus>

const FaultView = z.object({ code: z.string(), message: z.string(), remedy: z.string() })
/** Where the time went, in milliseconds. The parts of a run are summed up: with four at a time it is four times as long as the clock. */
export const TimeBreakdown = z.object({
  /** Ready, but no node had a free slot. */
  queueMs: z.number(),
  firstByteMs: z.number(),
  /** The sink waited for the source. */
  readMs: z.number(),
  /** The source waited for the sink. */
  writeMs: z.number(),
  commitMs: z.number(),
})
export type TimeBreakdown = z.infer<typeof TimeBreakdown>
/** Over the time that it has moved rows. */
const Pace = {
  rowsPerSecond: z.number(),
  bytesPerSecond: z.number(),
  /** From 0 to 1; null while nobody can know. */
  share: z.number().nullable(),
  /** Until the end, as it goes now; null while nobody can know. */
  etaMs: z.number().nullable(),
}
export const AttemptView = z.object({
  number: z.int(),
  node: Name.nullable(),
  status: z.enum(['dispatched', 'running', 'succeeded', 'failed', 'lost', 'returned', 'cancelled']),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  rowsRead: z.number(),
  rowsWritten: z.number(),
  bytesRead: z.number(),
  bytesWritten: z.number(),
  fault: FaultView.nullable(),
})
export const TaskView = z.object({
  id: TaskId,
  kind: TaskKind,
  /** What the task covers, for a person: "flights aid 1 to 500000". */
  name: z.string(),
  status: TaskStatus,
  /** The node that runs or ran it last. */
  node: Name.nullable(),
  estimatedRows: z.number().nullable(),
  rowsRead: z.number(),
  rowsWritten: z.number(),
  rowsSkipped: z.number(),
  bytesRead: z.number(),
  bytesWritten: z.number(),
  durationMs: z.number().nullable(),
  ...Pace,
  times: TimeBreakdown,
  attempts: z.array(AttemptView),
})
export type TaskView = z.infer<typeof TaskView>

/** One part by itself: what the source had for it when it was read, and what of it is in the target. */
export const PartVerification = z.object({
  task: TaskId,
  name: z.string(),
  status: z.enum(['same', 'differs']),
  sourceRows: z.number().nullable(),
  targetRows: z.number().nullable(),
  /** Left out of the target; part of sourceRows. */
  skippedRows: z.number(),
  sourceChecksum: z.string().nullable(),
  targetChecksum: z.string().nullable(),
})
export type PartVerification = z.infer<typeof PartVerification>

/** One end-to-end comparison. */
export const VerificationReport = z.object({
  method: Verify,
  status: z.enum(['pending', 'skipped', 'passed', 'failed']),
  sourceRows: z.number().nullable(),
  targetRows: z.number().nullable(),
  /** Order-free checksums over all columns, as decimal text. */
  sourceChecksum: z.string().nullable(),
  targetChecksum: z.string().nullable(),
  /** What differs, or what could not be compared, for a person. */
  notes: z.array(z.string()),
  /** Part by part; those that differ are what a repair copies again. */
  parts: z.array(PartVerification).max(10_000).optional(),
})
export type VerificationReport = z.infer<typeof VerificationReport>

export const RunSummary = z.object({
  id: RunId,
  gateway: Name,
  /** "shop:public.orders → lake:orders/". */
  name: z.string(),
  status: RunStatus,
  startedBy: z.string(),
  createdAt: z.iso.datetime(),
  startedAt: z.iso.datetime().nullable(),
  endedAt: z.iso.datetime().nullable(),
  durationMs: z.number(),
  guarantee: Guarantee.nullable(),
  /** The lane the planner took: text, binary, columnar, file, rows. */
  lane: z.string().nullable(),
  rowsRead: z.number(),
  rowsWritten: z.number(),
  rowsSkipped: z.number(),
  bytesRead: z.number(),
  bytesWritten: z.number(),
  /** Fault of a failed run. */
  fault: FaultView.nullable(),
})
export type RunSummary = z.infer<typeof RunSummary>
export const RunView = RunSummary.extend({
  copy: CopyRequest,
  /** What the planner decided and why, and what happened since ("a second snapshot was taken at …"). */
  notes: z.array(z.string()),
  verification: VerificationReport,
  ...Pace,
  times: TimeBreakdown,
  /** What holds it up, and what would help; null when nothing stands out. */
  hint: z.string().nullable(),
  /** Tasks that are ready and wait for a free slot. */
  queuedTasks: z.int(),
  /** How long the longest of them has waited. */
  queueMs: z.number(),
  /** Tasks of other runs that became ready before the first of them; null when none waits. */
  queuePosition: z.int().nullable(),
  /** What each node has moved. */
  nodes: z.array(
    z.object({
      node: Name,
      tasks: z.int(),
      running: z.int(),
      rowsWritten: z.number(),
      bytesWritten: z.number(),
      rowsPerSecond: z.number(),
      bytesPerSecond: z.number(),
    }),
  ),
  tasks: z.array(TaskView),
})
export type RunView = z.infer<typeof RunView>
