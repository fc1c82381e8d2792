import type { TaskKind as Kind, TaskStatus as Status } from '@postern/protocol/api/runs.ts'
import type { z } from 'zod'

export type TaskKind = z.infer<typeof Kind>
export type TaskStatus = z.infer<typeof Status>

/**
 *             unlock           pull            succeed
 *   waiting ─────────► ready ───────► running ─────────► succeeded
 *      ▲                │ ▲              │ │
 *      │      hold      │ └─── again ────┤ └─── fail ──► failed ──┐
 *      └────────────────┴────── hold ────┘                        │ rerun: ready or waiting
 *   cancel: from waiting, ready and running ─────────► cancelled ─┘
 *
 * `hold`: a part whose snapshot is gone waits for a new one. Only `rerun` leads out of failed and cancelled, and out of succeeded
 * `reopen`: to waiting, for the finish of a run that is repaired.
 */
export const TASK_MOVES = {
  waiting: { unlock: 'ready', cancel: 'cancelled' },
  ready: { pull: 'running', hold: 'waiting', cancel: 'cancelled' },
  running: { succeed: 'succeeded', again: 'ready', hold: 'waiting', fail: 'failed', cancel: 'cancelled' },
  succeeded: { reopen: 'waiting' },
  failed: { rerun: 'ready', rerunLater: 'waiting' },
  cancelled: { rerun: 'ready', rerunLater: 'waiting' },
} as const satisfies Record<TaskStatus, Partial<Record<string, TaskStatus>>>

type MovesOf<From extends TaskStatus> = keyof (typeof TASK_MOVES)[From]
export type TaskEvent = { [From in TaskStatus]: MovesOf<From> }[TaskStatus]

/** Where the event leads, or undefined where it has no meaning. */
export function nextTaskStatus(from: TaskStatus, event: TaskEvent): TaskStatus | undefined {
  const moves: Partial<Record<TaskEvent, TaskStatus>> = TASK_MOVES[from]
  return moves[event]
}

/** The statuses from which the event leads somewhere: the `from` of a compare-and-set. */
export function sourcesOf(event: TaskEvent): readonly TaskStatus[] {
  return (Object.keys(TASK_MOVES) as TaskStatus[]).filter((from) => nextTaskStatus(from, event) !== undefined)
}

/** Where the event leads: the same from everywhere that it is possible. */
export function targetOf(event: TaskEvent): TaskStatus {
  const [target] = new Set(sourcesOf(event).map((from) => nextTaskStatus(from, event)))
  if (!target) throw new Error(`The event ${event} leads nowhere.`)
  return target
}
