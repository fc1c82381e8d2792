import type { Clock } from '@postern/base/clock.ts'
import type { Log } from '@postern/base/log.ts'
import { keepYoungSmall } from '@postern/base/young-heap.ts'
import type { Sink } from '@postern/connectors/copy-contract.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { RunId } from '@postern/protocol/ids.ts'
import type { SourceRef } from '@postern/protocol/node-api.ts'
import type { Counters, TaskLimits, TaskOrder } from '@postern/protocol/task-api.ts'
import { type PlanContext, parseContext } from './context.ts'
import { finish } from './finish.ts'
import { ENGINE_LIMITS } from './limits.ts'
import type { Outcome } from './outcome.ts'
import { type OpenStore, type Pair, pairOf, sinkOf } from './pair.ts'
import { movePart } from './part.ts'
import { plan } from './plan.ts'
import { repair } from './repair.ts'
import { readHere, Snapshots, snapshotOf } from './snapshots.ts'
import { Tally } from './tally.ts'

export type { OpenStore, Outcome }

export interface EngineParts {
  readonly clock: Clock
  readonly log: Log
  /** `order` is on whose behalf: a store of another gateway is opened for one attempt. */
  readonly open: (ref: SourceRef, signal: AbortSignal, order: TaskOrder) => Promise<OpenStore>
}

interface Running {
  readonly tally: Tally
  readonly limits: () => TaskLimits
}

/** Executes the tasks of copies over connectors. Knows nothing of links, HTTP or the service. */
export class Engine implements AsyncDisposable {
  readonly #parts: EngineParts
  readonly #snapshots: Snapshots

  constructor(parts: EngineParts) {
    this.#parts = parts
    this.#snapshots = new Snapshots(parts)
  }

  /**
   * Runs one order to its outcome. Never rejects: what a store does, and an abort, become outcome `failed`. `limits` is what the
   * attempt may move now: it changes while it runs.
   */
  async execute(
    order: TaskOrder,
    onProgress: (counters: Counters) => void,
    signal: AbortSignal,
    limits: () => TaskLimits = () => order.limits ?? {},
  ): Promise<Outcome> {
    const tally = new Tally(this.#parts.clock, onProgress)
    using _ = keepYoungSmall()
    try {
      signal.throwIfAborted()
      return await this.#run(order, { tally, limits }, signal)
    } catch (cause) {
      const fault = Fault.from(signal.aborted ? signal.reason : cause)
      const { run, task, attempt, kind } = order
      const level = fault.kind === 'bug' ? 'error' : 'debug'
      this.#parts.log[level]({ run, task, attempt, kind, code: fault.code, err: cause }, 'a task failed')
      return { outcome: 'failed', fault: message(fault), counters: tally.counters }
    }
  }

  /** Runs whose exported snapshot this process holds: what the beat says. */
  snapshots(): readonly RunId[] {
    return this.#snapshots.runs()
  }

  /** The answer to a beat: of the runs that it `reported`, closes the snapshots of all but `keep`. One taken since stays. */
  async keepSnapshots(keep: readonly RunId[], reported: readonly RunId[]): Promise<void> {
    const needed = new Set(keep)
    await Promise.all(reported.filter((run) => !needed.has(run)).map((run) => this.#snapshots.release(run)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#snapshots[Symbol.asyncDispose]()
  }

  async #run(order: TaskOrder, { tally, limits }: Running, signal: AbortSignal): Promise<Outcome> {
    if (order.kind === 'cleanup') return this.#cleanUp(order, signal)
    const pair = await this.#pair(order, signal)
    const rejects = await this.#rejects(order, signal)
    const { clock } = this.#parts
    switch (order.kind) {
      case 'plan':
        return { outcome: 'planned', plan: await plan(order, pair, { clock, snapshots: this.#snapshots, rejects }, signal) }
      case 'part': {
        const result = await movePart(order, { pair, tally, clock, limits, rejects }, signal)
        return { outcome: 'moved', result, counters: tally.counters }
      }
      case 'snapshot':
        return { outcome: 'resnapshot', snapshot: await this.#snapshotAgain(order, pair, signal) }
      case 'finish': {
        const result = await finish(order, pair, rejects, signal)
        if (result.verification.status !== 'failed') await this.#snapshots.release(order.run)
        return { outcome: 'finished', finish: result }
      }
      case 'repair':
        return { outcome: 'repaired', repair: await repair(order, pair, signal) }
      default:
        return order.kind satisfies never
    }
  }

  async #pair(order: TaskOrder, signal: AbortSignal): Promise<Pair> {
    const [source, sink] = await Promise.all([this.#parts.open(order.source, signal, order), this.#parts.open(order.sink, signal, order)])
    return pairOf(order, source, sink)
  }

  /** Where the rows of this order go that are left out. */
  async #rejects(order: TaskOrder, signal: AbortSignal): Promise<Sink | undefined> {
    const named = order.copy.skipIncompatibleRows?.rejects
    if (!named) return undefined
    if (!order.rejects) throw new Fault('STORE_UNKNOWN', { at: `skipIncompatibleRows.rejects: ${named.store}` })
    return sinkOf({ sink: named.store }, await this.#parts.open(order.rejects, signal, order))
  }

  /** A new point in time for the parts left. The old one stays here if it is here: parts may still be reading under it. */
  async #snapshotAgain(order: TaskOrder, { source, from }: Pair, signal: AbortSignal) {
    const before = parseContext(order.context)
    const snapshot = await snapshotOf({ source, from, shape: before.shape }, signal)
    if (!snapshot) throw new Fault('COPY_UNSUPPORTED', { at: `${before.shape.kind} has no snapshots` })
    this.#snapshots.hold(order.run, snapshot)
    const takenAt = new Date(this.#parts.clock.now()).toISOString()
    const first = before.snapshot?.takenAt ?? 'an earlier time'
    const context = { ...before, snapshot: { id: snapshot.id, takenAt } }
    return {
      context,
      ...(readHere(context) && { readHere: true }),
      note: `The snapshot of ${first} was lost with its node; parts not yet copied show the source of ${takenAt}.`,
    }
  }

  /** Parts that are in the target for good: rows appended to a table, with their commit records. A run that goes on must know. */
  async #kept(order: TaskOrder, sink: Sink, { target }: PlanContext, signal: AbortSignal): Promise<number> {
    let kept = 0
    for (const { task } of order.parts ?? []) {
      if (await sink.committed(target, { run: order.run, task, attempt: order.attempt }, signal)) kept += 1
    }
    return kept
  }

  /** Needs the sink only: the source may be gone by now. */
  async #cleanUp(order: TaskOrder, signal: AbortSignal): Promise<Outcome> {
    let kept = 0
    // Before planning had ended nothing was promised to anyone, and nothing but empty staging can be there.
    if (order.context !== null && order.context !== undefined) {
      const sink = sinkOf(order.copy, await this.#parts.open(order.sink, signal, order))
      const context = parseContext(order.context)
      await sink.discard(context.target, order.run, signal)
      kept = await this.#kept(order, sink, context, signal)
      if (context.rejects && kept === 0) await (await this.#rejects(order, signal))?.discard(context.rejects, order.run, signal)
    }
    await this.#snapshots.release(order.run)
    return { outcome: 'cleaned', kept }
  }
}

function message(fault: Fault) {
  const { code, details } = fault
  const { messageLength, remedyLength } = ENGINE_LIMITS
  return { code, message: fault.message.slice(0, messageLength), remedy: fault.remedy.slice(0, remedyLength), details: { ...details } }
}
