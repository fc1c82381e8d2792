import type { GatewayId, NodeId, RunId } from '@postern/protocol/ids.ts'
import type { RunningAttempt } from '@postern/protocol/node-api.ts'
import type { Counters } from '@postern/protocol/task-api.ts'
import { type RawBuilder, sql } from 'kysely'
import type { z } from 'zod'
import type { Db } from '../db/database.ts'
import { json } from '../db/tables.ts'
import { type AttemptStatus, isOpen } from './attempt-status.ts'
import type { FaultNote } from './run-record.ts'
import { countersOf, type TaskFacts } from './task-repository.ts'
import { sourcesOf } from './task-status.ts'

export type AttemptRef = z.infer<typeof RunningAttempt>

export interface AttemptFacts {
  readonly status: AttemptStatus
  readonly epoch: number
  readonly nodeId: NodeId | null
  readonly contextVersion: number
  readonly gatewayId: GatewayId
  readonly runId: RunId
  readonly taskAttempt: number
  readonly task: TaskFacts
}

export interface Reporter {
  readonly id: NodeId
  readonly name: string
}

/** An attempt whose node does not name it any more. */
export interface SilentAttempt extends AttemptRef {
  readonly run: RunId
  /** Where it ran, or who was to hand it out. */
  readonly node: NodeId
  readonly silentMs: number
}

/**
 * All the SQL of attempts. Rows are locked in one order: run, task, attempt. Beats and sweeps, which touch many attempts and nothing
 * else, pass over those that another is changing just now. Otherwise reports, beats and people would wait for each other in a circle.
 */
export class AttemptRepository {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  async find(ref: AttemptRef): Promise<AttemptFacts | undefined> {
    return await this.#find(ref, sql``)
  }

  /** The same, and nobody else changes its task until the transaction ends. */
  async hold(ref: AttemptRef): Promise<AttemptFacts | undefined> {
    return await this.#find(ref, sql`for no key update of t`)
  }

  async #find({ task, attempt }: AttemptRef, held: RawBuilder<unknown>): Promise<AttemptFacts | undefined> {
    const { rows } = await sql<AttemptFacts>`
      select a.status, a.epoch, a.node_id as "nodeId", a.context_version as "contextVersion", t.gateway_id as "gatewayId",
             a.run_id as "runId", t.attempt as "taskAttempt",
             jsonb_build_object('id', t.id, 'kind', t.kind, 'status', t.status, 'attempt', t.attempt, 'failures', t.failures,
                                'returns', t.returns) as task
        from attempt as a join task as t on t.id = a.task_id
       where a.task_id = ${task} and a.number = ${attempt} ${held}`.execute(this.#db)
    return rows[0]
  }

  /** True when it runs on this node now, also when that was said before. */
  async start({ task, attempt }: AttemptRef, epoch: number, by: Reporter): Promise<boolean> {
    const { rows } = await sql`
      with held as (
        select id from task where id = ${task} for no key update
      ), begun as (
        update attempt
           set status = 'running', node_id = ${by.id}, node = ${by.name}, seen_at = clock_timestamp()
          from held
         where task_id = held.id and number = ${attempt} and epoch = ${epoch}
           and (status = 'dispatched' or (status = 'running' and node_id = ${by.id}))
     returning task_id)
      update task set node = ${by.name} from begun where task.id = begun.task_id returning task.id`.execute(this.#db)
    return rows.length > 0
  }

  /** True when it is still the attempt that counts. Figures of a task are those of the attempt that runs. */
  async progress({ task, attempt }: AttemptRef, epoch: number, by: Reporter, c: Counters): Promise<RunId | undefined> {
    const { rows } = await sql<{ run: RunId }>`
      with held as (
        select id from task where id = ${task} and attempt = ${attempt} and status = 'running' for no key update
      ), seen as (
        update attempt
           set seen_at = clock_timestamp(), status = 'running', node_id = ${by.id}, node = ${by.name}, rows_read = ${c.rowsRead},
               rows_written = ${c.rowsWritten}, bytes_read = ${c.bytesRead}, bytes_written = ${c.bytesWritten}
          from held
         where task_id = held.id and number = ${attempt} and epoch = ${epoch}
           and (status = 'dispatched' or (status = 'running' and node_id = ${by.id}))
     returning task_id)
      update task
         set node = ${by.name}, ${countersOf(c)}
        from seen
       where task.id = seen.task_id
   returning task.run_id as run`.execute(this.#db)
    return rows[0]?.run
  }

  /** The attempt, and with it its task. */
  async succeed({ task, attempt }: AttemptRef, by: Reporter | undefined, result: unknown, counters: Counters | undefined): Promise<void> {
    const of = sql`from done where task_id = done.id`
    await sql`
      with done as (
        update task
           set status = 'succeeded', ended_at = clock_timestamp(), result = ${json(result ?? null)}::jsonb
               ${counters ? sql`, ${countersOf(counters)}` : sql``}
         where id = ${task} and status = any(${sourcesOf('succeed')})
     returning id)
      ${endOf({ task, attempt }, 'succeeded', { by, counters }, of)}`.execute(this.#db)
  }

  /** True when it was open until now. */
  async end(ref: AttemptRef, status: 'failed' | 'lost' | 'returned', more: Ending = {}): Promise<boolean> {
    return await this.#changed(endOf(ref, status, more))
  }

  /** All that runs of a run is to stop. Its nodes hear of it with their next beat, and only then it has ended. */
  async cancelAll(run: RunId): Promise<void> {
    await sql`update attempt set status = 'cancelled' where run_id = ${run} and status in ('dispatched', 'running')`.execute(this.#db)
  }

  /** The node has let go of a cancelled attempt. */
  async letGo({ task, attempt }: AttemptRef): Promise<void> {
    await sql`
      update attempt set ended_at = clock_timestamp()
       where task_id = ${task} and number = ${attempt} and status = 'cancelled' and ended_at is null`.execute(this.#db)
  }

  /** What a node names in a beat is alive. Returns those that it should go on with. */
  async renew(node: Reporter, named: readonly AttemptRef[]): Promise<AttemptRef[]> {
    const { rows } = await sql<AttemptRef & { status: AttemptStatus }>`
      with ours as (
        select a.task_id, a.number, a.status
          from attempt as a, ${refs(named)} as n(task text, attempt integer)
         where a.task_id = n.task and a.number = n.attempt and a.ended_at is null and (a.node_id = ${node.id} or a.node_id is null)
      ), seen as (
        update attempt as a
           set seen_at = clock_timestamp(), node_id = ${node.id}, node = ${node.name}
          from (select o.task_id, o.number
                  from attempt as o join ours using (task_id, number)
                 where o.ended_at is null
                   for no key update of o skip locked) as free
         where a.task_id = free.task_id and a.number = free.number)
      select task_id as task, number as attempt, status from ours`.execute(this.#db)
    return rows.filter(({ status }) => isOpen(status))
  }

  /** Cancelled attempts of this node that it does not name any more have ended. */
  async letGoUnnamed(node: NodeId, named: readonly AttemptRef[]): Promise<boolean> {
    return await this.#letGo(sql`
      node_id = ${node} and not exists (select from ${refs(named)} as n(task text, attempt integer) where n.task = task_id and n.attempt = number)`)
  }

  /** Open attempts that were not named for so long, in milliseconds. */
  async silent(ms: number): Promise<SilentAttempt[]> {
    const { rows } = await sql<SilentAttempt>`
      select task_id as task, number as attempt, run_id as run, coalesce(node_id, dispatcher_id) as node,
             (extract(epoch from clock_timestamp() - seen_at) * 1000)::float8 as "silentMs"
        from attempt
       where ended_at is null and status in ('dispatched', 'running')
         and seen_at < clock_timestamp() - ${ms} * interval '1 millisecond'`.execute(this.#db)
    return rows
  }

  /** Cancelled attempts whose node says nothing have ended for us. */
  async letGoSilent(ms: number): Promise<void> {
    await this.#letGo(sql`seen_at < clock_timestamp() - ${ms} * interval '1 millisecond'`)
  }

  /** True when there were some. */
  async #letGo(which: RawBuilder<unknown>): Promise<boolean> {
    return await this.#changed(sql`
      update attempt as a
         set ended_at = clock_timestamp()
        from (select task_id, number
                from attempt
               where ended_at is null and status = 'cancelled' and ${which}
                 for no key update skip locked) as free
       where a.task_id = free.task_id and a.number = free.number`)
  }

  async #changed(statement: RawBuilder<unknown>): Promise<boolean> {
    const { numAffectedRows } = await statement.execute(this.#db)
    return (numAffectedRows ?? 0n) > 0n
  }
}

const refs = (named: readonly AttemptRef[]): RawBuilder<unknown> => sql`jsonb_to_recordset(${json(named)}::jsonb)`

interface Ending {
  readonly by?: Reporter | undefined
  readonly counters?: Counters | undefined
  readonly fault?: FaultNote | undefined
}

function endOf(
  { task, attempt }: AttemptRef,
  status: AttemptStatus,
  { by, counters: c, fault }: Ending,
  of = sql`where true`,
): RawBuilder<unknown> {
  const counted = c
    ? sql`, rows_read = ${c.rowsRead}, rows_written = ${c.rowsWritten}, bytes_read = ${c.bytesRead}, bytes_written = ${c.bytesWritten}`
    : sql``
  const placed = by ? sql`, node_id = ${by.id}, node = ${by.name}` : sql``
  return sql`
    update attempt
       set status = ${status}, ended_at = clock_timestamp(), fault = ${fault ? json(fault) : null}::jsonb ${counted} ${placed}
      ${of} and task_id = ${task} and number = ${attempt} and status in ('dispatched', 'running')`
}
