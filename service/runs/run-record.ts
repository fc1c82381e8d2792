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
import type { GatewayId, NodeId, PersonId, RunId, StoreId, TaskId, TokenId } from '@postern/protocol/ids.ts'
import type { Counters, Times } from '@postern/protocol/task-api.ts'
import type { z } from 'zod'
import type { AttemptStatus } from './attempt-status.ts'
import { type Bottleneck, hintOf, nodesOfRun, runPace, taskPace, timesOfRun, timesOfTask } from './run-figures.ts'
import type { TaskKind, TaskStatus } from './task-status.ts'

/** A fault as it is kept: what may be shown. */
export interface FaultNote {
  readonly code: string
  readonly message: string
  readonly remedy: string
}

export interface RunRecord extends Omit<Counters, 'times'> {
  readonly id: RunId
  readonly gatewayId: GatewayId
  readonly gateway: string
  readonly name: string
  readonly status: RunStatus
  readonly startedBy: string
  readonly startedById: PersonId | TokenId | null
  /** Null where the store was deleted. */
  readonly sourceGatewayId: GatewayId | null
  readonly copy: Copy
  readonly sourceId: StoreId
  readonly sinkId: StoreId
  readonly createdAt: Date
  /** As exact as the database has it, in microseconds since 1970: its place in the list. */
  readonly createdUs: number
  readonly startedAt: Date | null
  readonly endedAt: Date | null
  /** From creation to end, or to now; by the database's clock. */
  readonly durationMs: number
  readonly guarantee: Guarantee | null
  readonly lane: string | null
  readonly notes: readonly string[]
  readonly verification: VerificationReport | null
  readonly fault: FaultNote | null
  /** By the database's clock, when this was read. */
  readonly now: Date
  readonly pin: NodeId | null
  readonly parallel: number | null
}

/** What of a run waits for a free slot. */
export interface RunQueue {
  readonly tasks: number
  readonly waitedMs: number
  readonly before: number | null
}

export interface TaskRecord extends Omit<Counters, 'times'> {
  readonly id: TaskId
  readonly runId: RunId
  readonly kind: TaskKind
  readonly name: string
  readonly status: TaskStatus
  readonly node: string | null
  readonly estimatedRows: number | null
  readonly durationMs: number | null
  readonly queueMs: number
  readonly times: Times | null
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

export interface RunPicture {
  readonly run: RunRecord
  readonly tasks: readonly TaskRecord[]
  readonly attempts: readonly AttemptRecord[]
  readonly queue: RunQueue
  /** What run and stores allow together. */
  readonly limits: Bottleneck['limits']
  readonly pinnedAway: string | null
}

export function runView({ run, tasks, attempts, queue, limits, pinnedAway }: RunPicture): RunView {
  const byTask = Map.groupBy(attempts, ({ taskId }) => taskId)
  const now = run.now.getTime()
  const pace = runPace(run, tasks, attempts, now)
  const times = timesOfRun(tasks)
  const runningParts = tasks.filter(({ kind, status }) => kind === 'part' && status === 'running').length
  const over = run.endedAt !== null
  const parallel = run.parallel ?? undefined
  return {
    ...runSummary(run),
    copy: run.copy,
    notes: [...run.notes],
    verification: run.verification ?? noVerification(run),
    ...pace,
    times,
    hint: hintOf({ times, queuedTasks: queue.tasks, runningParts, parallel, pace, limits, pinnedAway, over }),
    queuedTasks: queue.tasks,
    queueMs: Math.round(queue.waitedMs),
    queuePosition: queue.before,
    nodes: nodesOfRun(tasks, attempts, now),
    tasks: tasks.map((task) => taskView(task, byTask.get(task.id) ?? [], now)),
  }
}

function noVerification({ copy, status }: RunRecord): VerificationReport {
  const over = status !== 'queued' && status !== 'running'
  const none = { sourceRows: null, targetRows: null, sourceChecksum: null, targetChecksum: null, notes: [] }
  return { method: copy.verify, status: copy.verify === 'none' || over ? 'skipped' : 'pending', ...none }
}

function taskView(task: TaskRecord, attempts: readonly AttemptRecord[], now: number): TaskView {
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
    ...taskPace(task, attempts, now),
    times: timesOfTask(task),
    attempts: attempts.map(attemptView),
  }
}

function attemptView(attempt: AttemptRecord): z.infer<typeof AttemptView> {
  const { number, node, status, rowsRead, rowsWritten, bytesRead, bytesWritten, fault } = attempt
  const startedAt = attempt.startedAt.toISOString()
  return { number, node, status, startedAt, endedAt: iso(attempt.endedAt), rowsRead, rowsWritten, bytesRead, bytesWritten, fault }
}
