import { Fault } from '@postern/protocol/fault.ts'
import type { GatewayId, NodeId, RunId } from '@postern/protocol/ids.ts'
import type { AttemptFinished, Counters, TaskLimits } from '@postern/protocol/task-api.ts'
import type { Db } from '../db/database.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import { type AttemptFacts, type AttemptRef, AttemptRepository, type Reporter } from './attempt-repository.ts'
import { isOpen } from './attempt-status.ts'
import { type Reported, type RunMoves, statusOfReport } from './run-moves.ts'
import type { RunNews } from './run-news.ts'
import type { RunService } from './run-service.ts'
import type { TaskLimitBook } from './task-limits.ts'

export interface ReportServiceParts {
  readonly db: Db
  readonly runs: RunService
  readonly nodes: Pick<NodeDirectory, 'get'>
  readonly news: RunNews
  readonly limits: TaskLimitBook
}

/** What workers say of their attempts. Each may be said twice; one of an attempt that does not count any more is refused. */
export class ReportService {
  readonly #parts: ReportServiceParts
  readonly #attempts: AttemptRepository

  constructor(parts: ReportServiceParts) {
    this.#parts = parts
    this.#attempts = new AttemptRepository(parts.db)
  }

  async started(node: NodeId, ref: AttemptRef, epoch: number): Promise<void> {
    const { by, gatewayId } = this.#reporter(node)
    const known = await this.#known(ref, epoch, gatewayId)
    await this.#parts.runs.onRun(known.runId, gatewayId, async (moves) => {
      if (!(await moves.attempts.start(ref, epoch, by))) throw stale(ref)
      if (await moves.runs.begin(known.runId)) moves.changes.runStatus = 'running'
      moves.changes.tasks.add(ref.task)
    })
  }

  /** Locks nothing but the attempt and its task: it comes often. Answers what the attempt may move from now on. */
  async progress(node: NodeId, ref: AttemptRef, epoch: number, counters: Counters): Promise<TaskLimits> {
    const { by, gatewayId } = this.#reporter(node)
    await this.#known(ref, epoch, gatewayId)
    const run = await this.#attempts.progress(ref, epoch, by, counters)
    if (!run) throw stale(ref)
    this.#parts.news.progress(run, ref.task, by.name, counters)
    return await this.#parts.limits.ofRun(run)
  }

  /**
   * `fresh`: it was news; said again, it changes nothing. `wake`: it has made tasks ready, of which dispatchers do not know yet: the one
   * who reports may take what comes next itself.
   */
  async finished(node: NodeId, ref: AttemptRef, report: AttemptFinished): Promise<{ readonly fresh: boolean; readonly wake: boolean }> {
    const { by, gatewayId } = this.#reporter(node)
    const { result, wake } = await this.#parts.runs.onTask(ref.task, async (moves, run) => {
      const attempt = await moves.attempts.hold(ref)
      if (!attempt || attempt.epoch !== report.epoch || attempt.gatewayId !== gatewayId) throw stale(ref)
      const { task } = attempt
      if (!isOpen(attempt.status)) {
        await this.#tooLate(moves, { ref, task, attempt, by }, report)
        return false
      }
      if (attempt.nodeId !== null && attempt.nodeId !== node) throw stale(ref)
      // A short task may be over before its start was told.
      if (attempt.status === 'dispatched') await moves.attempts.start(ref, report.epoch, by)
      if (run.status === 'queued' && (await moves.runs.begin(run.id))) moves.changes.runStatus = 'running'
      await apply(moves, { ref, task, attempt, by }, report)
      return true
    })
    return { fresh: result, wake }
  }

  /** Said before: answered as before. Of a cancelled attempt it says that the node has let go. */
  async #tooLate(moves: RunMoves, { ref, attempt, by }: Reported, report: AttemptFinished): Promise<void> {
    if (attempt.status === statusOfReport(report) && (attempt.nodeId === null || attempt.nodeId === by?.id)) return
    if (attempt.status !== 'cancelled') throw stale(ref)
    await moves.attempts.letGo(ref)
    // A plan that was just done when its run was cancelled may have prepared the target: that is taken away too.
    if (report.outcome === 'planned' && attempt.taskAttempt === ref.attempt) {
      const run = await moves.runs.lock(attempt.runId)
      const cleanup = await moves.tasks.lastCleanup(attempt.runId)
      if (!run || run.planned || (run.status !== 'cancelled' && cleanup?.status !== 'waiting')) return
      await moves.runs.keepPlan(run.id, report.plan, null)
      if (!cleanup) await moves.cleanUp()
    }
  }

  #reporter(node: NodeId): { readonly by: Reporter; readonly gatewayId: GatewayId } {
    const facts = this.#parts.nodes.get(node)
    if (!facts) throw new Fault('NODE_UNKNOWN', { at: node })
    return { by: { id: facts.id, name: facts.name }, gatewayId: facts.gatewayId }
  }

  async #known(ref: AttemptRef, epoch: number, gatewayId: GatewayId): Promise<AttemptFacts> {
    const attempt = await this.#attempts.find(ref)
    if (!attempt || attempt.epoch !== epoch || attempt.gatewayId !== gatewayId) throw stale(ref)
    return attempt
  }
}

/** Ends an attempt that nobody reports on. False when it had ended. */
export async function loseAttempt(
  parts: { readonly db: Db; readonly runs: RunService },
  lost: { readonly ref: AttemptRef; readonly run: RunId; readonly fault: Fault; readonly how: 'lost' | 'returned' },
): Promise<boolean> {
  const known = await new AttemptRepository(parts.db).find(lost.ref)
  if (!known) return false
  return await parts.runs.onRun(lost.run, known.gatewayId, async (moves) => {
    const attempt = await moves.attempts.hold(lost.ref)
    if (!attempt || !isOpen(attempt.status)) return false
    await moves.failed({ ref: lost.ref, task: attempt.task, attempt }, lost.fault, lost.how)
    return true
  })
}

async function apply(moves: RunMoves, reported: Reported, report: AttemptFinished): Promise<void> {
  const { kind } = reported.task
  switch (report.outcome) {
    case 'planned':
      if (kind === 'plan') return await moves.planned(reported, report.plan)
      break
    case 'moved':
      if (kind === 'part') return await moves.moved(reported, report.result, report.counters)
      break
    case 'resnapshot':
      if (kind === 'snapshot') return await moves.resnapshot(reported, report.snapshot)
      break
    case 'finished':
      if (kind === 'finish') return await moves.finished(reported, report.finish)
      break
    case 'repaired':
      if (kind === 'repair') return await moves.repaired(reported, report.repair)
      break
    case 'cleaned':
      if (kind === 'cleanup') return await moves.cleaned(reported, report.kept ?? 0)
      break
    case 'failed':
      return await moves.failed(reported, Fault.fromJson(report.fault), 'failed', report.counters)
    case 'returned':
      return await moves.failed(reported, new Fault('STOPPING', { at: report.reason }), 'returned')
    default:
      return report satisfies never
  }
  throw new Fault('INPUT_INVALID', { at: `outcome ${report.outcome} is not one of a task of kind ${kind}.` })
}

function stale({ task, attempt }: AttemptRef): Fault {
  return new Fault('ATTEMPT_STALE', { details: { task, attempt } })
}
