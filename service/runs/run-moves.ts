import type { Random } from '@postern/base/random.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { type GatewayId, type NodeId, newId, type RunId, type TaskId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import type { AttemptFinished, Counters, FinishResult, PlanResult, RepairResult, SnapshotResult } from '@postern/protocol/task-api.ts'
import type { Db } from '../db/database.ts'
import { type AttemptFacts, type AttemptRef, AttemptRepository, type Reporter } from './attempt-repository.ts'
import { goOn } from './run-again.ts'
import type { Changes } from './run-news.ts'
import type { FaultNote } from './run-record.ts'
import { type LockedRun, RunRepository } from './run-repository.ts'
import { type NewTask, type RunOfTask, type TaskFacts, TaskRepository } from './task-repository.ts'
import { afterFailure } from './task-retry.ts'

/** Before the finish in the order of the view, after all parts. */
const FINISH_PLACE = LIMITS.planTasks + 1_000
const SNAPSHOT_PLACE = LIMITS.planTasks + 1
const REPAIR_PLACE = FINISH_PLACE - 1
const CLEANUP_PLACE = FINISH_PLACE + 1

export interface RunMovesParts {
  readonly tx: Db
  readonly gatewayId: GatewayId
  readonly run: LockedRun
  readonly random: Random
}

/** The attempt that a report is about, and who reports. */
export interface Reported {
  readonly ref: AttemptRef
  readonly task: TaskFacts
  readonly attempt: AttemptFacts
  readonly by?: Reporter
}

/**
 * What may become of one run: plan → parts → finish, and the ways out. Used inside one transaction that has the run's row
 * locked, so that of two reports the second sees what the first did.
 */
export class RunMoves {
  readonly runs: RunRepository
  readonly tasks: TaskRepository
  readonly attempts: AttemptRepository
  readonly changes: Changes
  readonly #parts: RunMovesParts

  constructor(parts: RunMovesParts) {
    this.#parts = parts
    this.runs = new RunRepository(parts.tx)
    this.tasks = new TaskRepository(parts.tx)
    this.attempts = new AttemptRepository(parts.tx)
    this.changes = { gatewayId: parts.gatewayId, run: parts.run.id, runStatus: undefined, tasks: new Set(), wake: false }
  }

  // ── what workers report ────────────────────────────────────────────────────────────────────────

  async planned(reported: Reported, plan: PlanResult): Promise<void> {
    await this.#succeeded(reported, null, undefined)
    await this.runs.keepPlan(this.#run, plan, plan.holdsSnapshot ? (reported.by?.id ?? null) : null)
    await this.#add([...partsOf(plan.parts, 1), { place: FINISH_PLACE, kind: 'finish', name: 'finish', status: 'waiting' }])
    await this.#readBy(plan.readHere ? (reported.by?.id ?? null) : null)
    this.changes.wake = true
  }

  /** The parts it replaces are out of the target; the new ones bring their rows, then it is finished again. */
  async repaired(reported: Reported, { context, notes, replaces, parts }: RepairResult): Promise<void> {
    await this.#succeeded(reported, null, undefined)
    await this.runs.keepRepair(this.#run, context)
    await this.runs.note(this.#run, notes)
    await this.tasks.markReplaced(this.#run, replaces)
    if (parts.length > 0) await this.#add(partsOf(parts, (await this.tasks.lastPlace(this.#run)) + 1))
    await this.finishIfWhole()
    this.changes.wake = true
  }

  async moved(reported: Reported, result: unknown, counters: Counters): Promise<void> {
    await this.#succeeded(reported, result, counters)
    await this.finishIfWhole()
  }

  async resnapshot(reported: Reported, { context, note, readHere }: SnapshotResult): Promise<void> {
    await this.#succeeded(reported, null, undefined)
    await this.runs.keepSnapshot(this.#run, context, reported.by?.id ?? null)
    await this.#readBy(readHere ? (reported.by?.id ?? null) : null)
    await this.runs.note(this.#run, [note])
    for (const id of await this.tasks.moveAll(this.#run, 'unlock', ['part'])) this.changes.tasks.add(id)
    await this.finishIfWhole()
    this.changes.wake = true
  }

  /** A verification that failed ends the run as failed: nothing was published where the sink stages. */
  async finished(reported: Reported, { verification, notes }: FinishResult): Promise<void> {
    if (verification.status !== 'failed') {
      await this.#succeeded(reported, null, undefined)
      if (await this.runs.succeed(this.#run, verification, notes)) this.changes.runStatus = 'succeeded'
      return
    }
    await this.runs.keepVerification(this.#run, verification, notes)
    const fault = noteOf(new Fault('VERIFICATION_FAILED', { at: verification.notes[0] ?? '' }))
    await this.attempts.end(reported.ref, 'failed', { by: reported.by, fault })
    await this.#fail(reported.task.id, fault)
  }

  /** Of a run that was asked to run again meanwhile it is the beginning. */
  async cleaned(reported: Reported, kept: number): Promise<void> {
    await this.#succeeded(reported, { kept }, undefined)
    const { run } = this.#parts
    if (run.status === 'queued' || run.status === 'running') {
      await goOn(this, run, kept)
      this.changes.wake = true
    }
  }

  async failed(reported: Reported, fault: Fault, how: 'failed' | 'lost' | 'returned', counters?: Counters): Promise<void> {
    const { ref, task, attempt, by } = reported
    const note = noteOf(fault)
    await this.attempts.end(ref, how, { by, counters, fault: note })
    this.changes.tasks.add(task.id)
    const { snapshots, snapshotsOpen } = await this.tasks.tally(this.#run)
    const verdict = afterFailure({
      kind: task.kind,
      failures: task.failures,
      returns: task.returns,
      retries: this.#parts.run.retries,
      snapshots,
      outdated: attempt.contextVersion < this.#parts.run.contextVersion,
      fault,
      fraction: this.#parts.random.fraction(),
    })
    switch (verdict.is) {
      case 'again':
        await this.tasks.again(task.id, verdict.delayMs, verdict.counts)
        this.changes.wake = true
        return
      case 'hold':
        await this.#hold(task.id, snapshotsOpen > 0, snapshots)
        return
      case 'fail':
        await this.#fail(task.id, note)
        return
      default:
        verdict satisfies never
    }
  }

  /** The node that alone could read under the snapshot takes no work any more: another takes a new one, as when it is lost. */
  async readerGone(reader: NodeId): Promise<boolean> {
    if (this.#parts.run.reader !== reader) return false
    await this.#readBy(null)
    const { snapshots, snapshotsOpen } = await this.tasks.tally(this.#run)
    const held = await this.tasks.moveAll(this.#run, 'hold', ['part'], 'ready')
    for (const id of held) this.changes.tasks.add(id)
    if (held.length > 0 && snapshotsOpen === 0) await this.#addSnapshot(snapshots)
    this.changes.wake = true
    return true
  }

  // ── what people ask for ────────────────────────────────────────────────────────────────────────

  /** True when it was active. What was written aside is taken away once nobody works on it any more. */
  async cancel(why: FaultNote | null = null): Promise<boolean> {
    if (!(await this.runs.end(this.#run, 'cancelled', why))) return false
    this.changes.runStatus = 'cancelled'
    await this.#stopAll()
    if (this.#parts.run.planned) await this.cleanUp()
    return true
  }

  /** The time that the copy was given is over. */
  async timeOut(fault: Fault): Promise<void> {
    if (!(await this.#endFailed(noteOf(fault)))) return
    await this.#stopAll()
  }

  async cleanUp(): Promise<void> {
    const place = CLEANUP_PLACE + (await this.tasks.tally(this.#run)).tasks
    await this.#add([{ place, kind: 'cleanup', name: 'clean up', status: 'waiting' }])
  }

  async addPlan(): Promise<void> {
    await this.#add([{ place: 0, kind: 'plan', name: 'plan', status: 'ready' }])
    this.changes.wake = true
  }

  async addRepair(): Promise<void> {
    await this.#add([{ place: REPAIR_PLACE, kind: 'repair', name: 'repair', status: 'ready' }])
    this.changes.wake = true
  }

  /** Finish is ready when the last part is done. */
  async finishIfWhole(): Promise<void> {
    const finish = await this.tasks.unlockFinish(this.#run)
    if (!finish) return
    this.changes.tasks.add(finish)
    this.changes.wake = true
  }

  get random(): Random {
    return this.#parts.random
  }

  /** The transaction. */
  get db(): Db {
    return this.#parts.tx
  }

  // ── inside ─────────────────────────────────────────────────────────────────────────────────────

  get #run(): RunId {
    return this.#parts.run.id
  }

  get #owner(): RunOfTask {
    const { gatewayId, run } = this.#parts
    return { id: run.id, gatewayId, pin: run.pin }
  }

  async #add(tasks: readonly ToAdd[]): Promise<void> {
    const added = tasks.map((task): NewTask => {
      const id = newId<TaskId>('tsk', this.random.bytes)
      return { estimatedRows: null, spec: null, ...task, id }
    })
    await this.tasks.add(this.#owner, added)
    for (const { id } of added) this.changes.tasks.add(id)
  }

  async #succeeded({ ref, task, by }: Reported, result: unknown, counters: Counters | undefined): Promise<void> {
    await this.attempts.succeed(ref, by, result, counters)
    this.changes.tasks.add(task.id)
  }

  /** Parts that have not begun wait too: under a snapshot that is gone they could only fail. Those that run may well end. */
  async #hold(task: TaskId, open: boolean, snapshots: number): Promise<void> {
    await this.tasks.move(task, 'hold')
    for (const id of await this.tasks.moveAll(this.#run, 'hold', ['part'], 'ready')) this.changes.tasks.add(id)
    if (open) return
    await this.#addSnapshot(snapshots)
    this.changes.wake = true
  }

  async #addSnapshot(before: number): Promise<void> {
    await this.#add([{ place: SNAPSHOT_PLACE + before, kind: 'snapshot', name: 'new snapshot', status: 'ready' }])
  }

  /** A copy that is pinned is read by its node anyway. */
  async #readBy(node: NodeId | null): Promise<void> {
    const { run } = this.#parts
    if (node === null && run.reader === null) return
    await this.runs.keepReader(run.id, node)
    await this.tasks.pin(run.id, node ?? run.pin)
  }

  /** The task fails, and with it the run. A clean-up that fails leaves its run cancelled, with a note. */
  async #fail(task: TaskId, fault: FaultNote): Promise<void> {
    await this.tasks.move(task, 'fail')
    this.changes.tasks.add(task)
    if (await this.#endFailed(fault)) await this.#stopAll()
    else await this.runs.note(this.#run, [`What was written aside could not be taken away: ${fault.message}`])
  }

  async #endFailed(fault: FaultNote): Promise<boolean> {
    const ended = await this.runs.end(this.#run, 'failed', fault)
    if (ended) this.changes.runStatus = 'failed'
    return ended
  }

  async #stopAll(): Promise<void> {
    const kinds = ['plan', 'part', 'snapshot', 'repair', 'finish'] as const
    for (const id of await this.tasks.moveAll(this.#run, 'cancel', kinds)) this.changes.tasks.add(id)
    await this.attempts.cancelAll(this.#run)
  }
}

type ToAdd = Pick<NewTask, 'place' | 'kind' | 'name' | 'status'> & Partial<Pick<NewTask, 'estimatedRows' | 'spec'>>

function partsOf(parts: PlanResult['parts'], firstPlace: number): ToAdd[] {
  return parts.map((part, index) => ({ ...part, place: firstPlace + index, kind: 'part', status: 'ready' }))
}

export const noteOf = ({ code, message, remedy }: Pick<Fault, 'code' | 'message' | 'remedy'>): FaultNote => ({ code, message, remedy })

/** What a report says of the task, so that a repeated one can be told from one that comes too late. */
export function statusOfReport(report: AttemptFinished): 'succeeded' | 'failed' | 'returned' {
  if (report.outcome === 'failed') return 'failed'
  if (report.outcome === 'returned') return 'returned'
  if (report.outcome === 'finished' && report.finish.verification.status === 'failed') return 'failed'
  return 'succeeded'
}
