import type { Clock } from '@postern/base/clock.ts'
import type { RunStatus } from '@postern/protocol/api/runs.ts'
import type { GatewayId, RunId, TaskId } from '@postern/protocol/ids.ts'
import type { Counters } from '@postern/protocol/task-api.ts'
import type { EventBus } from '../events/event-bus.ts'
import type { TaskRecord } from './run-record.ts'
import type { TaskSignal } from './task-signal.ts'

/** Progress of one task is told at most so often. */
const PROGRESS_MS = 200
const MOST_TASKS = 10_000

/** What a transaction changed; told when it is committed, never before. */
export interface Changes {
  readonly gatewayId: GatewayId
  readonly run: RunId
  runStatus: RunStatus | undefined
  readonly tasks: Set<TaskId>
  /** Something may be ready to be pulled. */
  wake: boolean
}

export interface RunNewsParts {
  readonly events: EventBus
  readonly signal: TaskSignal
  /** The tasks of a run as they are now. */
  readonly tasksOf: (run: RunId) => Promise<readonly TaskRecord[]>
  readonly clock: Clock
}

/** Tells listeners and dispatchers what became of runs and tasks. */
export class RunNews {
  readonly #parts: RunNewsParts
  readonly #told = new Map<TaskId, number>()

  constructor(parts: RunNewsParts) {
    this.#parts = parts
  }

  async tell({ gatewayId, run, runStatus, tasks, wake }: Changes): Promise<void> {
    const { events, signal, tasksOf } = this.#parts
    // Dispatchers first: they are what the run waits for.
    if (wake) signal.wake(gatewayId)
    if (!events.heard) return
    if (tasks.size > 0) for (const task of await tasksOf(run)) if (tasks.has(task.id)) this.#publish(task)
    if (runStatus) events.publish({ type: 'run', run, status: runStatus })
  }

  progress(run: RunId, task: TaskId, node: string, counters: Counters): void {
    const { events, clock } = this.#parts
    if (!events.heard) return
    const now = clock.monotonic()
    if (now - (this.#told.get(task) ?? Number.NEGATIVE_INFINITY) < PROGRESS_MS) return
    if (this.#told.size >= MOST_TASKS) this.#told.clear()
    this.#told.set(task, now)
    const { rowsRead, rowsWritten, bytesRead, bytesWritten } = counters
    events.publish({ type: 'task', run, task, status: 'running', node, rowsRead, rowsWritten, bytesRead, bytesWritten })
  }

  #publish({ id, runId, status, node, rowsRead, rowsWritten, bytesRead, bytesWritten }: TaskRecord): void {
    this.#told.delete(id)
    this.#parts.events.publish({ type: 'task', run: runId, task: id, status, node, rowsRead, rowsWritten, bytesRead, bytesWritten })
  }
}
