import type {
  AttemptView,
  Copy,
  Guarantee,
  RunStatus,
  RunSummary,
  RunView,
  TaskView,
  VerificationReport,
} from '@postern/protocol/api/runs.ts'
import type { GatewayId, NodeId, RunId, StoreId, TaskId } from '@postern/protocol/ids.ts'
import type { Counters } from '@postern/protocol/node-api.ts'
import type { z } from 'zod'
import type { AttemptStatus } from './attempt-status.ts'
import type { TaskKind, TaskStatus } from './task-status.ts'

/** A fault as it is kept: what may be shown. */
export interface FaultNote {
  readonly code: string
  readonly message: string
  readonly remedy: string
}

export interface RunRecord extends Counters {
  readonly id: RunId
  readonly gatewayId: GatewayId
  readonly gateway: string
  readonly name: string
  readonly status: RunStatus
  readonly startedBy: string
  readonly copy: Copy
  readonly sourceId: StoreId
  readonly sinkId: StoreId
  readonly createdAt: Date
  readonly startedAt: Date | null
  readonly endedAt: Date | null
  /** From creation to end, or to now; by the database's clock. */
  readonly durationMs: number
  readonly guarantee: Guarantee | null
  readonly lane: string | null
  readonly notes: readonly string[]
  readonly verification: VerificationReport | null
  readonly fault: FaultNote | null
}

export interface TaskRecord extends Counters {
  readonly id: TaskId
  readonly runId: RunId
  readonly kind: TaskKind
  readonly name: string
  readonly status: TaskStatus
  readonly node: string | null
  readonly estimatedRows: number | null
  readonly durationMs: number | null
}

export interface AttemptRecord {
  readonly taskId: TaskId
  readonly number: number
  readonly node: string | null
  readonly nodeId: NodeId | null
  readonly status: AttemptStatus
  readonly startedAt: Date
  readonly endedAt: Date | null
  readonly rowsRead: number
  readonly rowsWritten: number
  readonly bytesRead: number
  readonly bytesWritten: number
  readonly fault: FaultNote | null
}

const iso = (date: Date | null): string | null => date?.toISOString() ?? null

export function runSummary(run: RunRecord): RunSummary {
  const {
    id,
    gateway,
    name,
    status,
    startedBy,
    durationMs,
    guarantee,
    lane,
    rowsRead,
    rowsWritten,
    rowsSkipped,
    bytesRead,
    bytesWritten,
    fault,
  } = run
  return {
    id,
    gateway,
    name,
    status,
    startedBy,
    createdAt: run.createdAt.toISOString(),
    startedAt: iso(run.startedAt),
    endedAt: iso(run.endedAt),
    durationMs,
    guarantee,
    lane,
    rowsRead,
    rowsWritten,
    rowsSkipped,
    bytesRead,
    bytesWritten,
    fault,
  }
}

export function runView(run: RunRecord, tasks: readonly TaskRecord[], attempts: readonly AttemptRecord[]): RunView {
  const byTask = Map.groupBy(attempts, ({ taskId }) => taskId)
  return {
    ...runSummary(run),
    copy: run.copy,
    notes: [...run.notes],
    verification: run.verification ?? noVerification(run),
    tasks: tasks.map((task) => taskView(task, byTask.get(task.id) ?? [])),
  }
}

function noVerification({ copy, status }: RunRecord): VerificationReport {
  const over = status !== 'queued' && status !== 'running'
  const none = { sourceRows: null, targetRows: null, sourceChecksum: null, targetChecksum: null, notes: [] }
  return { method: copy.verify, status: copy.verify === 'none' || over ? 'skipped' : 'pending', ...none }
}

function taskView(task: TaskRecord, attempts: readonly AttemptRecord[]): TaskView {
  const { id, kind, name, status, node, estimatedRows, rowsRead, rowsWritten, rowsSkipped, bytesRead, bytesWritten, durationMs } = task
  return {
    id,
    kind,
    name,
    status,
    node,
    estimatedRows,
    rowsRead,
    rowsWritten,
    rowsSkipped,
    bytesRead,
    bytesWritten,
    durationMs,
    attempts: attempts.map(attemptView),
  }
}

function attemptView(attempt: AttemptRecord): z.infer<typeof AttemptView> {
  const { number, node, status, rowsRead, rowsWritten, bytesRead, bytesWritten, fault } = attempt
  const startedAt = attempt.startedAt.toISOString()
  return { number, node, status, startedAt, endedAt: iso(attempt.endedAt), rowsRead, rowsWritten, bytesRead, bytesWritten, fault }
}
