import type { Random } from '@postern/base/random.ts'
import { CONNECTORS } from '@postern/connectors/registry.ts'
import type { Copy, RunView } from '@postern/protocol/api/runs.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { type GatewayId, newId, type RunId, type StoreId } from '@postern/protocol/ids.ts'
import type { Db } from '../db/database.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import { RunMoves } from './run-moves.ts'
import type { RunNews } from './run-news.ts'
import { type RunRecord, runView } from './run-record.ts'
import { type LockedRun, type RunFilter, type RunPlace, RunRepository } from './run-repository.ts'

/** What a copy must know of a store. */
export interface CopyStore {
  readonly id: StoreId
  readonly name: string
  readonly kind: string
  readonly gatewayId: GatewayId
}

export interface RunServiceParts {
  readonly db: Db
  /** Fails with STORE_UNKNOWN. */
  readonly findStore: (name: string) => CopyStore | Promise<CopyStore>
  readonly nodes: Pick<NodeDirectory, 'gateway'>
  readonly news: RunNews
  readonly random: Random
}

/** `work` on a locked run; what it changed is told when it is committed. */
export type RunWork<Result> = (moves: RunMoves, run: LockedRun) => Promise<Result>

/** Copies as people see them: ask for one, look, cancel, run again. */
export class RunService {
  readonly #parts: RunServiceParts
  readonly #runs: RunRepository

  constructor(parts: RunServiceParts) {
    this.#parts = parts
    this.#runs = new RunRepository(parts.db)
  }

  async create(copy: Copy, startedBy: string): Promise<RunView> {
    const [source, sink] = await Promise.all([this.#parts.findStore(copy.source), this.#parts.findStore(copy.sink)])
    checkPair(copy, source, sink)
    const gateway = this.#parts.nodes.gateway(source.gatewayId)?.name ?? source.gatewayId
    const id = newId<RunId>('run', this.#parts.random.bytes)
    const { gatewayId } = source
    const name = `${copy.source}:${shortened(copy.from)} → ${copy.sink}:${shortened(copy.to)}`
    const run = { id, status: 'queued', planned: false, contextVersion: 0, snapshotNode: null } as const
    const changes = await this.#parts.db.transaction().execute(async (tx) => {
      await new RunRepository(tx).add({ id, gatewayId, gateway, name, startedBy, copy, sourceId: source.id, sinkId: sink.id })
      const moves = new RunMoves({ tx, gatewayId, run, random: this.#parts.random })
      await moves.addPlan()
      return { ...moves.changes, runStatus: 'queued' as const }
    })
    await this.#parts.news.tell(changes)
    return await this.get(id)
  }

  async get(id: RunId): Promise<RunView> {
    const run = await this.#find(id)
    const [tasks, attempts] = await Promise.all([this.#runs.tasks(id), this.#runs.attempts(id)])
    return runView(run, tasks, attempts)
  }

  async page(filter: RunFilter, place: RunPlace | undefined, count: number): Promise<readonly RunRecord[]> {
    return await this.#runs.page(filter, place, count)
  }

  async cancel(id: RunId): Promise<RunView> {
    const { gatewayId } = await this.#find(id)
    await this.onRun(id, gatewayId, async (moves, { status }) => {
      if (!(await moves.cancel()))
        throw new Fault('RUN_FINISHED', { at: `It is ${status}.`, remedy: 'None is needed: there is nothing left to stop.' })
    })
    return await this.get(id)
  }

  /**
   * A failed run goes on with the tasks that did not succeed; commit records keep what is done from being done twice. A
   * cancelled run starts again from its plan, unless a part had begun: what it wrote aside is gone then.
   */
  async rerun(id: RunId): Promise<RunView> {
    const { gatewayId } = await this.#find(id)
    await this.onRun(id, gatewayId, async (moves, { status }) => {
      if (status === 'queued' || status === 'running') throw new Fault('RUN_ACTIVE')
      if (status === 'succeeded') throw new Fault('RUN_FINISHED', { at: 'It succeeded.', remedy: 'Start a new copy to copy again.' })
      if (status === 'cancelled') await startOver(moves, id)
      else {
        await moves.tasks.rerun(id)
        const { partsLeft, tasks } = await moves.tasks.tally(id)
        // Before the plan there is one task and no part.
        if (partsLeft === 0 && tasks > 1) await moves.finishIfWhole()
      }
      await moves.runs.reopen(id)
      moves.changes.runStatus = 'queued'
      moves.changes.wake = true
    })
    return await this.get(id)
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

  async #find(id: RunId): Promise<RunRecord> {
    const run = await this.#runs.find(id)
    if (!run) throw new Fault('RUN_UNKNOWN', { at: id })
    return run
  }
}

async function startOver(moves: RunMoves, id: RunId): Promise<void> {
  const { partsBegun } = await moves.tasks.tally(id)
  if (partsBegun > 0) {
    throw new Fault('RUN_FINISHED', {
      at: 'It was cancelled after its parts had begun, and what it had written aside is taken away.',
      remedy: 'Start a new copy. Look first at what is in the target: rows that were appended to a table stay there.',
    })
  }
  await moves.tasks.deleteAll(id)
  await moves.addPlan()
}

function checkPair(copy: Copy, source: CopyStore, sink: CopyStore): void {
  if (source.gatewayId !== sink.gatewayId) {
    throw new Fault('COPY_UNSUPPORTED', {
      at: `Store ${source.name} and store ${sink.name} belong to different gateways.`,
      remedy: 'Make a store for one of them on the other gateway, if its nodes can reach it.',
    })
  }
  const from = CONNECTORS.get(source.kind)?.can.source
  if (!from) throw new Fault('COPY_UNSUPPORTED', { at: `Nothing can be copied from a store of kind ${source.kind}.` })
  const into = CONNECTORS.get(sink.kind)?.can.sink
  if (!into) throw new Fault('COPY_UNSUPPORTED', { at: `Nothing can be copied to a store of kind ${sink.kind}.` })
  if (!into.modes.includes(copy.mode)) {
    throw new Fault('COPY_UNSUPPORTED', { at: `A store of kind ${sink.kind} has no mode ${copy.mode}, only ${into.modes.join(', ')}.` })
  }
  if (copy.guarantee === 'exactly-once' && !into.exactlyOnce) {
    throw new Fault('GUARANTEE_IMPOSSIBLE', { at: `A store of kind ${sink.kind} cannot commit rows and their record together.` })
  }
  if (copy.mode === 'upsert' && copy.key.length === 0) {
    throw new Fault('INPUT_INVALID', { at: 'key: upsert needs the names of the key columns.' })
  }
}

/** A statement may be long; the name of a run is a line. */
function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length <= 80 ? line : `${line.slice(0, 79)}…`
}
