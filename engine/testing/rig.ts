/** Plays the service for one run: makes orders, keeps what comes back as JSON, hands it to the next task. */
import { systemClock } from '@postern/base/clock.ts'
import { silentLog } from '@postern/base/log.ts'
import { systemRandom } from '@postern/base/random.ts'
import { type Copy, CopyRequest } from '@postern/protocol/api/runs.ts'
import { newId, type RunId, type StoreId, type TaskId } from '@postern/protocol/ids.ts'
import type { StoreRef } from '@postern/protocol/node-api.ts'
import { type Counters, PlanResult, type TaskOrder } from '@postern/protocol/task-api.ts'
import { Engine, type OpenStore, type Outcome } from '../engine.ts'

export type OutcomeOf<Name extends Outcome['outcome']> = Extract<Outcome, { outcome: Name }>

export function engineOver(stores: Readonly<Record<string, OpenStore>>): Engine {
  return new Engine({
    clock: systemClock,
    log: silentLog,
    open: async (ref) => {
      const store = stores[ref.name]
      if (!store) throw new Error(`no store ${ref.name}`)
      return store
    },
  })
}

export const storeRef = (name: string): StoreRef => ({ id: `sto_${name.padEnd(20, '0').slice(0, 20)}` as StoreId, name, version: 1 })

const overTheWire = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value

export class Run {
  readonly id = newId<RunId>('run', systemRandom.bytes)
  readonly #copy: Copy
  plan: PlanResult | undefined
  context: unknown = null
  readonly tasks: { readonly id: TaskId; readonly spec: unknown; result?: unknown }[] = []

  constructor(copy: Partial<CopyRequest> & Pick<CopyRequest, 'from' | 'to'>) {
    this.#copy = CopyRequest.parse({ source: 'shop', sink: 'lake', ...copy })
  }

  order(kind: TaskOrder['kind'], more: Partial<TaskOrder> = {}): TaskOrder {
    const { source, sink, skipIncompatibleRows } = this.#copy
    const task = newId<TaskId>('tsk', systemRandom.bytes)
    const rejects = skipIncompatibleRows?.rejects && { rejects: storeRef(skipIncompatibleRows.rejects.store) }
    const stores = { source: storeRef(source), sink: storeRef(sink), ...rejects }
    return overTheWire({
      run: this.id,
      task,
      attempt: 1,
      epoch: 1,
      kind,
      copy: this.#copy,
      ...stores,
      spec: null,
      context: this.context,
      ...more,
    })
  }

  part(index: number, attempt = 1): TaskOrder {
    const task = this.tasks[index]
    if (!task) throw new Error(`no part ${index}`)
    return this.order('part', { task: task.id, spec: task.spec, attempt })
  }

  finish(): TaskOrder {
    return this.order('finish', { parts: this.tasks.map(({ id, spec, result }) => ({ task: id, spec, result: result ?? null })) })
  }

  planned(outcome: Outcome): PlanResult {
    const { plan } = expectOutcome(outcome, 'planned')
    this.plan = PlanResult.parse(overTheWire(plan))
    this.context = this.plan.context
    this.tasks.length = 0
    for (const { spec } of this.plan.parts) this.tasks.push({ id: newId<TaskId>('tsk', systemRandom.bytes), spec })
    return this.plan
  }

  moved(index: number, outcome: Outcome): OutcomeOf<'moved'> {
    const moved = expectOutcome(outcome, 'moved')
    const task = this.tasks[index]
    if (task) task.result = overTheWire(moved.result)
    return moved
  }
}

export function expectOutcome<Name extends Outcome['outcome']>(outcome: Outcome, name: Name): OutcomeOf<Name> {
  if (outcome.outcome !== name) throw new Error(`expected ${name}, got ${JSON.stringify(outcome)}`)
  return outcome as OutcomeOf<Name>
}

export const never = (): AbortSignal => AbortSignal.timeout(30_000)
export const ignore = (_counters: Counters): void => {}

/** Plans and moves all parts, then finishes: the way of a run to which nothing happens. */
export async function runAll(engine: Engine, run: Run): Promise<OutcomeOf<'finished'>> {
  run.planned(await engine.execute(run.order('plan'), ignore, never()))
  await Promise.all(run.tasks.map(async (_, index) => run.moved(index, await engine.execute(run.part(index), ignore, never()))))
  return expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')
}
