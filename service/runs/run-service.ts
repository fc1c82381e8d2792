import type { Random } from '@postern/base/random.ts'
import type { StoreLimits } from '@postern/protocol/api/query-limits.ts'
import type { Copy, RunView } from '@postern/protocol/api/runs.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { type GatewayId, type NodeId, newId, type RunId, type StoreId, type TaskId } from '@postern/protocol/ids.ts'
import type { Db } from '../db/database.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import type { Caller } from '../rights/caller.ts'
import { needOn } from '../rights/places.ts'
import { actingFor } from './acting-callers.ts'
import { checkCopy, checkRejects, checkRepair } from './copy-check.ts'
import { checkMayCancel, checkMayRunAgain, checkSeesRun } from './run-access.ts'
import { repair, rerun } from './run-again.ts'
import { RunMoves } from './run-moves.ts'
import type { RunNews } from './run-news.ts'
import { type RunRecord, runView } from './run-record.ts'
import { type LockedRun, type RunFilter, type RunPlace, RunRepository } from './run-repository.ts'
import { RunRightsRepository } from './run-rights-repository.ts'
import { TaskQueue } from './task-queue.ts'

/** What a copy must know of a store. */
export interface CopyStore {
  readonly id: StoreId
  readonly name: string
  readonly kind: string
  readonly gatewayId: GatewayId
  readonly limits: StoreLimits
}

export interface RunServiceParts {
  readonly db: Db
  /** Fails with STORE_UNKNOWN. */
  readonly findStore: (name: string) => CopyStore | Promise<CopyStore>
  readonly nodes: Pick<NodeDirectory, 'gateway' | 'get' | 'nodesOf'>
  readonly news: RunNews
  readonly random: Random
}

/** `work` on a locked run; what it changed is told when it is committed. */
export type RunWork<Result> = (moves: RunMoves, run: LockedRun) => Promise<Result>

/** Copies as people see them: ask for one, look, cancel, run again. */
export class RunService {
  readonly #parts: RunServiceParts
  readonly #runs: RunRepository
  readonly #queue: TaskQueue

  constructor(parts: RunServiceParts) {
    this.#parts = parts
    this.#runs = new RunRepository(parts.db)
    this.#queue = new TaskQueue(parts.db)
  }

  /** Needs `runs:write` on both ends, and where rows that do not fit go. */
  async create(copy: Copy, caller: Caller): Promise<RunView> {
    const aside = copy.skipIncompatibleRows?.rejects?.store
    const [source, sink, rejects] = await Promise.all([
      this.#parts.findStore(copy.source),
      this.#parts.findStore(copy.sink),
      aside === undefined ? undefined : this.#parts.findStore(aside),
    ])
    for (const store of rejects ? [source, sink, rejects] : [source, sink]) needOn(caller, 'runs:write', store)
    checkCopy(copy, source, sink)
    // Nodes of the sink's gateway write them.
    if (rejects) checkRejects(rejects, sink)
    // Nodes of the sink's gateway run it; a source of another gateway is read over the bridge.
    const { gatewayId } = sink
    const gateway = this.#parts.nodes.gateway(gatewayId)?.name ?? gatewayId
    const pin = this.#pinOf(copy, gatewayId)
    const id = newId<RunId>('run', this.#parts.random.bytes)
    const name = `${copy.source}:${shortened(copy.from)} → ${copy.sink}:${shortened(copy.to)}`
    const run = {
      id,
      gatewayId,
      status: 'queued',
      planned: false,
      contextVersion: 0,
      snapshotNode: null,
      reader: null,
      verified: null,
      pin,
      retries: copy.retries,
    } as const
    const changes = await this.#parts.db.transaction().execute(async (tx) => {
      await new RunRepository(tx).add({
        ...{ id, gatewayId, gateway, name, copy, pin },
        ...{ startedBy: caller.name, startedById: caller.principal, sourceId: source.id, sinkId: sink.id },
      })
      const rights = new RunRightsRepository(tx)
      await rights.actFor(id, actingFor(caller))
      if (rejects) await rights.keepRejects(id, rejects.id)
      const moves = new RunMoves({ tx, gatewayId, run, random: this.#parts.random })
      await moves.addPlan()
      return { ...moves.changes, runStatus: 'queued' as const }
    })
    await this.#parts.news.tell(changes)
    return await this.#show(id)
  }

  /** Fails with RUN_UNKNOWN, also where the caller may not see it. */
  async get(id: RunId, caller: Caller): Promise<RunView> {
    const run = await this.#find(id)
    checkSeesRun(caller, run)
    return await this.#view(run)
  }

  async #show(id: RunId): Promise<RunView> {
    return await this.#view(await this.#find(id))
  }

  async #view(run: RunRecord): Promise<RunView> {
    const { id } = run
    const over = run.endedAt !== null
    const [tasks, attempts, queue, source, sink] = await Promise.all([
      this.#runs.tasks(id),
      this.#runs.attempts(id),
      over ? NOTHING_QUEUED : this.#queue.ofRun(id),
      this.#limitsOf(run.copy.source),
      this.#limitsOf(run.copy.sink),
    ])
    const limits = {
      rowsPerSecond: least(run.copy, source, sink, 'rowsPerSecond'),
      bytesPerSecond: least(run.copy, source, sink, 'bytesPerSecond'),
    }
    return runView({ run, tasks, attempts, queue, limits, pinnedAway: this.#pinnedAway(run.pin) })
  }

  async page(filter: RunFilter, place: RunPlace | undefined, count: number, caller: Caller): Promise<readonly RunRecord[]> {
    const seen = { sees: caller.sees('runs:read'), own: caller.owns(caller.principal) ? caller.principal : undefined }
    return await this.#runs.page({ ...filter, ...seen }, place, count)
  }

  async cancel(id: RunId, caller: Caller): Promise<RunView> {
    const run = await this.#find(id)
    checkMayCancel(caller, run)
    const { gatewayId } = run
    await this.onRun(id, gatewayId, async (moves, { status }) => {
      if (!(await moves.cancel()))
        throw new Fault('RUN_FINISHED', { at: `It is ${status}.`, remedy: 'None is needed: there is nothing left to stop.' })
    })
    return await this.#show(id)
  }

  async rerun(id: RunId, caller: Caller): Promise<RunView> {
    const run = await this.#find(id)
    checkMayRunAgain(caller, run)
    await this.onRun(id, run.gatewayId, again(caller, rerun))
    return await this.#show(id)
  }

  async repair(id: RunId, caller: Caller): Promise<RunView> {
    const run = await this.#find(id)
    checkMayRunAgain(caller, run)
    const { gatewayId, copy, status } = run
    if (status === 'succeeded') checkRepair(copy, (await this.#parts.findStore(copy.sink)).kind)
    await this.onRun(id, gatewayId, again(caller, repair))
    return await this.#show(id)
  }

  /** Runs whose time is over fail; how many. */
  async endOverdue(): Promise<number> {
    const overdue = await this.#runs.overdue()
    for (const { id, gatewayId, timeoutMs } of overdue) {
      const fault = new Fault('TIMED_OUT', {
        at: `The copy was given ${timeoutMs / 1_000} s.`,
        remedy: 'Go on with `postern run rerun ID`, which has as long again.',
      })
      await this.onRun(id, gatewayId, (moves) => moves.timeOut(fault))
    }
    return overdue.length
  }

  /** Runs that only a node can read on which takes no work any more; how many. */
  async freeFromReaders(): Promise<number> {
    let freed = 0
    for (const { id, gatewayId, reader } of await this.#runs.read()) {
      if (this.#takesWork(reader)) continue
      if (await this.onRun(id, gatewayId, (moves) => moves.readerGone(reader))) freed += 1
    }
    return freed
  }

  /** A node has begun with it, without a dispatch. */
  async begin(run: RunId, task: TaskId, gatewayId: GatewayId): Promise<void> {
    const runStatus = (await this.#runs.begin(run)) ? ('running' as const) : undefined
    await this.#parts.news.tell({ gatewayId, run, runStatus, tasks: new Set([task]), wake: false })
  }

  /** Runs `work` in a transaction that holds the run's row. */
  async onRun<Result>(id: RunId, gatewayId: GatewayId, work: RunWork<Result>): Promise<Result> {
    const { db, random, news } = this.#parts
    const { result, changes } = await db.transaction().execute(async (tx) => {
      const run = await new RunRepository(tx).lock(id)
      if (!run) throw new Fault('RUN_UNKNOWN', { at: id })
      const moves = new RunMoves({ tx, gatewayId, run, random })
      return { result: await work(moves, run), changes: moves.changes }
    })
    await news.tell(changes)
    return result
  }

  #pinOf({ node }: Copy, gatewayId: GatewayId): NodeId | null {
    if (node === undefined) return null
    const found = this.#parts.nodes.nodesOf(gatewayId).find(({ name }) => name === node)
    if (!found) throw new Fault('NODE_UNKNOWN', { at: `node: ${node} is not of the gateway that runs the copy.` })
    return found.id
  }

  /** The pinned node, when it takes no work now. */
  #pinnedAway(pin: NodeId | null): string | null {
    if (pin === null) return null
    const node = this.#parts.nodes.get(pin)
    if (!node) return 'that was deleted'
    return this.#takesWork(pin) ? null : node.name
  }

  #takesWork(id: NodeId): boolean {
    const node = this.#parts.nodes.get(id)
    return node?.alive() === true && node.enabled && !node.draining
  }

  async #limitsOf(store: string): Promise<StoreLimits> {
    try {
      return (await this.#parts.findStore(store)).limits
    } catch {
      // Deleted since.
      return {}
    }
  }

  /** The same for the run of a task; `wake`: whether dispatchers are to be woken is left to the caller. Fails with ATTEMPT_STALE when there is none. */
  async onTask<Result>(task: TaskId, work: RunWork<Result>): Promise<{ readonly result: Result; readonly wake: boolean }> {
    const { db, random, news } = this.#parts
    const { result, changes } = await db.transaction().execute(async (tx) => {
      const run = await new RunRepository(tx).lockOfTask(task)
      if (!run) throw new Fault('ATTEMPT_STALE', { details: { task } })
      const moves = new RunMoves({ tx, gatewayId: run.gatewayId, run, random })
      return { result: await work(moves, run), changes: moves.changes }
    })
    await news.tell({ ...changes, wake: false })
    return { result, wake: changes.wake }
  }

  async #find(id: RunId): Promise<RunRecord> {
    const run = await this.#runs.find(id)
    if (!run) throw new Fault('RUN_UNKNOWN', { at: id })
    return run
  }
}

/** It goes on with the rights of who asks for it now, whoever started it. */
const again =
  (caller: Caller, work: RunWork<void>): RunWork<void> =>
  async (moves, run) => {
    await work(moves, run)
    await new RunRightsRepository(moves.db).actFor(run.id, actingFor(caller))
  }

const NOTHING_QUEUED = { tasks: 0, waitedMs: 0, before: null } as const

function least(copy: Copy, source: StoreLimits, sink: StoreLimits, name: 'rowsPerSecond' | 'bytesPerSecond'): number | undefined {
  const all = [copy[name], source[name], sink[name]].filter((value) => value !== undefined)
  return all.length === 0 ? undefined : Math.min(...all)
}

/** A statement may be long; the name of a run is a line. */
function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length <= 80 ? line : `${line.slice(0, 79)}…`
}
