/** What is said of tasks: pulled by the dispatcher, dispatched to a worker, reported by the worker. Rules as in node-api.ts. */
import { z } from 'zod'
import { CopyRequest, Guarantee, TaskKind, VerificationReport } from './api/runs.ts'
import { Epoch, NodeId, RunId, TaskId } from './ids.ts'
import { FaultMessage, SourceRef, StoreRef } from './node-api.ts'

/** What one attempt may move in a second: its share of what a run and its two stores allow. Nothing where nothing bounds it. */
export const TaskLimits = z.object({ rowsPerSecond: z.number().positive().optional(), bytesPerSecond: z.number().positive().optional() })
export type TaskLimits = z.infer<typeof TaskLimits>

/** One thing for a worker to do. `spec` is the engine's own: the service stores and forwards it unread. */
export const TaskOrder = z.object({
  run: RunId,
  task: TaskId,
  attempt: z.int(),
  epoch: Epoch,
  kind: TaskKind,
  copy: CopyRequest,
  source: SourceRef,
  sink: StoreRef,
  /** Of a part: from the plan. Of the others: null. */
  spec: z.unknown(),
  /** The engine's plan-wide facts (lane, columns, snapshot, staging names); null for kind `plan`. */
  context: z.unknown(),
  /** The only node that may run it: the copy is pinned. */
  node: NodeId.nullable().optional(),
  /** As they are now; they change while it runs (ProgressResponse). */
  limits: TaskLimits.optional(),
  /** Of kind `plan` of a copy with a watermark column: where the last successful one ended; null for the first. */
  watermark: z.string().max(4_096).nullable().optional(),
  /** The store that copy.skipIncompatibleRows.rejects names. */
  rejects: StoreRef.optional(),
  /** Of kinds `finish` and `repair`: results of all parts, in the order of the plan. Of `cleanup`: the parts that had begun. */
  parts: z.array(z.object({ task: TaskId, spec: z.unknown(), result: z.unknown() })).optional(),
})
export type TaskOrder = z.infer<typeof TaskOrder>

export const PullRequest = z.object({
  epoch: Epoch,
  max: z.int().min(1).max(1_000),
  /** Free slots of each node that has one: what is pinned to another waits. Left out by older nodes. */
  free: z
    .array(z.object({ node: NodeId, slots: z.int().min(1).max(10_000) }))
    .max(1_000)
    .optional(),
})
export const PullResponse = z.object({ orders: z.array(TaskOrder) })

/** A worker's answer to a dispatch: taken, or why not. */
export const DispatchResponse = z.object({ accepted: z.boolean(), reason: z.string().max(500).nullable() })

/** Where the time went: until the first byte; the sink waited for the source; the source waited for the sink; the commit. */
export const Times = z.object({ firstByteMs: z.number(), readMs: z.number(), writeMs: z.number(), commitMs: z.number() })
export type Times = z.infer<typeof Times>
const Counters = z.object({
  rowsRead: z.number(),
  rowsWritten: z.number(),
  rowsSkipped: z.number(),
  bytesRead: z.number(),
  bytesWritten: z.number(),
  times: Times.optional(),
})
export type Counters = z.infer<typeof Counters>
export const AttemptStarted = z.object({ epoch: Epoch })
export const AttemptProgress = Counters.extend({ epoch: Epoch })
export const ProgressResponse = z.object({ limits: TaskLimits })

const PlannedPart = z.object({ name: z.string().max(500), estimatedRows: z.number().nullable(), spec: z.unknown() })

/** What planning found, and the parts it cut. */
export const PlanResult = z.object({
  lane: z.string().max(40),
  guarantee: Guarantee,
  notes: z.array(z.string().max(1_000)).max(100),
  context: z.unknown(),
  /** True when this node now holds an exported snapshot open for the run. */
  holdsSnapshot: z.boolean(),
  /** That snapshot can be read under by this node alone: the parts, and the verification, are for it. */
  readHere: z.boolean().optional(),
  /** Of a copy with a watermark column: where this one will have ended; null when it moves nothing. Kept once the run has succeeded. */
  watermark: z.string().max(4_096).nullable().optional(),
  parts: z.array(PlannedPart).min(1).max(10_000),
})
export type PlanResult = z.infer<typeof PlanResult>
export const FinishResult = z.object({ verification: VerificationReport, notes: z.array(z.string().max(1_000)).max(100) })
export type FinishResult = z.infer<typeof FinishResult>
export const SnapshotResult = z.object({ context: z.unknown(), note: z.string().max(1_000), readHere: z.boolean().optional() })
export type SnapshotResult = z.infer<typeof SnapshotResult>

/** What a repair found: ranges that differ are taken out of the target, and these parts bring them anew. `index` goes on after the plan's. */
export const RepairResult = z.object({
  context: z.unknown(),
  notes: z.array(z.string().max(1_000)).max(100),
  /** Tasks of earlier parts that these replace: `finish` is not given them any more. */
  replaces: z.array(TaskId).max(10_000),
  parts: z.array(PlannedPart).max(10_000),
})
export type RepairResult = z.infer<typeof RepairResult>

/** `more`: the slot is free again, and the node would take another task in the answer at once. */
const ended = { epoch: Epoch, more: z.boolean().optional() }
export const AttemptFinished = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('planned'), ...ended, plan: PlanResult }),
  z.object({ outcome: z.literal('moved'), ...ended, counters: Counters, result: z.unknown() }),
  z.object({ outcome: z.literal('resnapshot'), ...ended, snapshot: SnapshotResult }),
  z.object({ outcome: z.literal('finished'), ...ended, finish: FinishResult }),
  z.object({ outcome: z.literal('repaired'), ...ended, repair: RepairResult }),
  /** `kept`: how many of the parts named in the order are in the target for good: a run that goes on goes on after them. */
  z.object({ outcome: z.literal('cleaned'), ...ended, kept: z.int().min(0).optional() }),
  z.object({ outcome: z.literal('failed'), ...ended, fault: FaultMessage, counters: Counters }),
  /** Not begun: the worker is draining or full. Does not count as an attempt. */
  z.object({ outcome: z.literal('returned'), ...ended, reason: z.string().max(500) }),
])
export type AttemptFinished = z.infer<typeof AttemptFinished>
export const FinishedResponse = z.object({ next: TaskOrder.nullable() })
