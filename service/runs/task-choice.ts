/** Which of the tasks that are ready go next: pure. */
import type { NodeId, RunId, StoreId, TaskId } from '@postern/protocol/ids.ts'
import type { TaskKind } from './task-status.ts'

/** A task that is ready. Of one run they come in the order of its plan, largest first. */
export interface Candidate {
  readonly id: TaskId
  readonly run: RunId
  readonly kind: TaskKind
  readonly place: number
  readonly pin: NodeId | null
  readonly source: StoreId
  readonly sink: StoreId
  /** Of its run: what runs already, the parts among it, and how many of those may. */
  readonly running: number
  readonly runningParts: number
  readonly parallel: number | null
  /** When its run was asked for, in milliseconds. */
  readonly askedAt: number
}

export interface Room {
  readonly max: number
  /** Slots by node; undefined where the dispatcher did not say: then a pin holds nothing back. */
  readonly free: ReadonlyMap<NodeId, number> | undefined
  /** Of stores that allow only so many tasks at a time: how many more. */
  readonly stores: ReadonlyMap<StoreId, number>
  /** How many runs more may be planned: one that is planned may hold a snapshot of its source. */
  readonly plans: number
}

const FIRST: ReadonlySet<TaskKind> = new Set(['finish', 'snapshot', 'repair', 'cleanup'])

/**
 * What others wait for goes first. Then by turns: the run that has the fewest tasks running; of those the one that has handed out
 * the fewest; of those the oldest. So a run of 5,000 tasks does not starve one of two, and of many small runs the oldest are
 * finished before the next are begun.
 */
export function chooseTasks(candidates: readonly Candidate[], room: Room): readonly Candidate[] {
  const turns = new Map<RunId, number>()
  const ranked = candidates
    .toSorted((a, b) => a.place - b.place)
    .map((task) => {
      const turn = (turns.get(task.run) ?? task.running) + 1
      turns.set(task.run, turn)
      return { task, first: FIRST.has(task.kind) ? 0 : 1, turn }
    })
    .toSorted((a, b) => a.first - b.first || a.turn - b.turn || a.task.place - b.task.place || a.task.askedAt - b.task.askedAt)
  const left = new Left(room)
  return ranked.map(({ task }) => task).filter((task) => left.take(task))
}

/** What is left of the room while tasks are taken out of it. */
class Left {
  #max: number
  #plans: number
  readonly #free: Map<NodeId, number> | undefined
  readonly #stores: Map<StoreId, number>
  readonly #parts = new Map<RunId, number>()

  constructor({ max, free, stores, plans }: Room) {
    this.#max = max
    this.#plans = plans
    this.#free = free && new Map(free)
    this.#stores = new Map(stores)
  }

  take(task: Candidate): boolean {
    const parts = this.#parts.get(task.run) ?? task.runningParts
    const bounded = task.kind === 'part' || task.kind === 'plan'
    if (this.#max <= 0) return false
    if (task.kind === 'part' && task.parallel !== null && parts >= task.parallel) return false
    if (task.kind === 'plan' && this.#plans <= 0) return false
    if (task.pin !== null && this.#free && (this.#free.get(task.pin) ?? 0) <= 0) return false
    if (bounded && this.#ends(task).some((store) => (this.#stores.get(store) ?? 1) <= 0)) return false
    this.#max -= 1
    if (task.kind === 'plan') this.#plans -= 1
    if (task.kind === 'part') this.#parts.set(task.run, parts + 1)
    if (task.pin !== null) this.#free?.set(task.pin, (this.#free.get(task.pin) ?? 0) - 1)
    for (const store of this.#ends(task)) {
      const room = this.#stores.get(store)
      if (room !== undefined) this.#stores.set(store, room - 1)
    }
    return true
  }

  #ends({ source, sink }: Candidate): readonly StoreId[] {
    return source === sink ? [source] : [source, sink]
  }
}
