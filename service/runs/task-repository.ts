import type { GatewayId, NodeId, RunId, TaskId } from '@postern/protocol/ids.ts'
import type { Counters, TaskOrder } from '@postern/protocol/node-api.ts'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../db/database.ts'
import { json } from '../db/tables.ts'
import { sourcesOf, type TaskEvent, type TaskKind, type TaskStatus, targetOf } from './task-status.ts'

export interface NewTask {
  readonly id: TaskId
  readonly place: number
  readonly kind: TaskKind
  readonly name: string
  readonly status: TaskStatus
  readonly estimatedRows: number | null
  readonly spec: unknown
}

export interface RunOfTask {
  readonly id: RunId
  readonly gatewayId: GatewayId
}

export interface TaskFacts {
  readonly id: TaskId
  readonly kind: TaskKind
  readonly status: TaskStatus
  readonly attempt: number
  readonly failures: number
}

export interface Pulling {
  readonly gatewayId: GatewayId
  readonly dispatcher: NodeId
  readonly epoch: number
  readonly max: number
}

type PulledRow = Omit<TaskOrder, 'epoch' | 'parts'>

/** All the SQL of tasks; that of their attempts stands in attempt-repository.ts. */
export class TaskRepository {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  async add(run: RunOfTask, tasks: readonly NewTask[]): Promise<void> {
    await sql`
      insert into task (id, run_id, gateway_id, place, kind, name, status, estimated_rows, spec)
      select t.id, ${run.id}, ${run.gatewayId}, t.place, t.kind, t.name, t.status, t."estimatedRows", t.spec
        from jsonb_to_recordset(${json(tasks)}::jsonb)
          as t(id text, place integer, kind text, name text, status text, "estimatedRows" float8, spec jsonb)`.execute(this.#db)
  }

  async runOf(id: TaskId): Promise<RunId | undefined> {
    const { rows } = await sql<{ run: RunId }>`select run_id as run from task where id = ${id}`.execute(this.#db)
    return rows[0]?.run
  }

  async find(id: TaskId): Promise<TaskFacts | undefined> {
    const { rows } = await sql<TaskFacts>`
      select id, kind, status, attempt, failures from task where id = ${id}`.execute(this.#db)
    return rows[0]
  }

  /**
   * Takes what is ready and makes its attempts: plan, snapshot and finish first, because others wait for them, then the
   * largest parts. Two dispatchers never get the same task: locked rows are skipped, and a taken one is not ready any more.
   */
  async pull({ gatewayId, dispatcher, epoch, max }: Pulling): Promise<PulledRow[]> {
    const { rows } = await sql<PulledRow>`
      with picked as (
        select id
          from task
         where gateway_id = ${gatewayId} and status = 'ready' and ready_at <= clock_timestamp()
         order by case kind when 'part' then 2 when 'cleanup' then 1 else 0 end, estimated_rows desc nulls last, place
         limit ${max}
           for update skip locked
      ), taken as (
        update task as t
           set status = 'running', attempt = t.attempt + 1, started_at = coalesce(t.started_at, clock_timestamp()), ended_at = null,
               rows_read = 0, rows_written = 0, rows_skipped = 0, bytes_read = 0, bytes_written = 0
          from picked
         where t.id = picked.id
     returning t.*
      ), made as (
        insert into attempt (task_id, number, run_id, status, epoch, dispatcher_id, context_version, started_at, seen_at)
        select taken.id, taken.attempt, r.id, 'dispatched', ${epoch}, ${dispatcher}, r.context_version, clock_timestamp(), clock_timestamp()
          from taken join run as r on r.id = taken.run_id
      )
      select r.id as run, taken.id as task, taken.attempt, taken.kind, r.copy, taken.spec, r.context,
             jsonb_build_object('id', r.source_id, 'name', r.copy->>'source', 'version', coalesce(source.version, 1)) as source,
             jsonb_build_object('id', r.sink_id, 'name', r.copy->>'sink', 'version', coalesce(sink.version, 1)) as sink
        from taken
        join run as r on r.id = taken.run_id
        left join store as source on source.id = r.source_id
        left join store as sink on sink.id = r.sink_id
       order by case taken.kind when 'part' then 2 when 'cleanup' then 1 else 0 end, taken.estimated_rows desc nulls last, taken.place`.execute(
      this.#db,
    )
    return rows
  }

  /** Specs and results of all parts, in the order of the plan: what `finish` is given. */
  async results(run: RunId): Promise<NonNullable<TaskOrder['parts']>> {
    const { rows } = await sql<NonNullable<TaskOrder['parts']>[number]>`
      select id as task, spec, result from task where run_id = ${run} and kind = 'part' order by place`.execute(this.#db)
    return rows
  }

  /** In how many milliseconds the next task of the gateway is ready; undefined when none is to come by itself. */
  async nextReadyMs(gatewayId: GatewayId): Promise<number | undefined> {
    const { rows } = await sql<{ ms: number | null }>`
      select (extract(epoch from min(ready_at) - clock_timestamp()) * 1000)::float8 as ms
        from task
       where gateway_id = ${gatewayId} and status = 'ready'`.execute(this.#db)
    return rows[0]?.ms ?? undefined
  }

  async succeed(id: TaskId, result: unknown, counters: Counters | undefined): Promise<boolean> {
    const counted = counters ? sql`, ${countersOf(counters)}` : sql``
    return await this.#changed(sql`
      update task
         set status = 'succeeded', ended_at = clock_timestamp(), result = ${json(result ?? null)}::jsonb ${counted}
       where id = ${id} and status = any(${sourcesOf('succeed')})`)
  }

  /** Ready again after a while. */
  async again(id: TaskId, delayMs: number, counts: boolean): Promise<boolean> {
    return await this.#changed(sql`
      update task
         set status = 'ready', ready_at = clock_timestamp() + ${delayMs} * interval '1 millisecond',
             failures = failures + ${counts ? 1 : 0}
       where id = ${id} and status = any(${sourcesOf('again')})`)
  }

  async move(id: TaskId, event: Exclude<TaskEvent, 'succeed' | 'again' | 'pull'>): Promise<boolean> {
    const to = targetOf(event)
    return await this.#changed(sql`
      update task
         set status = ${to}, ready_at = clock_timestamp(),
             ended_at = case when ${to} in ('failed', 'cancelled') then clock_timestamp() end
       where id = ${id} and status = any(${sourcesOf(event)})`)
  }

  /** Moves all tasks of a run for which the event has a meaning. */
  async moveAll(run: RunId, event: 'cancel' | 'hold' | 'unlock', kinds: readonly TaskKind[], from?: TaskStatus): Promise<TaskId[]> {
    const to = targetOf(event)
    const sources = from ? [from] : sourcesOf(event)
    const { rows } = await sql<{ id: TaskId }>`
      update task
         set status = ${to}, ready_at = clock_timestamp(),
             ended_at = case when ${to} = 'cancelled' then clock_timestamp() else ended_at end
       where run_id = ${run} and kind = any(${kinds}) and status = any(${sources})
   returning id`.execute(this.#db)
    return rows.map(({ id }) => id)
  }

  /** A new series of attempts for what did not succeed. */
  async rerun(run: RunId): Promise<void> {
    await sql`
      update task as t
         set status = case when kind in ('plan', 'part') then 'ready' else 'waiting' end,
             failures = 0, ready_at = clock_timestamp(), ended_at = null
       where run_id = ${run} and kind in ('plan', 'part', 'finish') and status = any(${sourcesOf('rerun')})`.execute(this.#db)
  }

  /** How many parts are not done, and how many snapshots the run has asked for. */
  async tally(run: RunId): Promise<{
    readonly partsLeft: number
    readonly partsBegun: number
    readonly snapshots: number
    readonly snapshotsOpen: number
    readonly tasks: number
  }> {
    const { rows } = await sql<{ partsLeft: number; partsBegun: number; snapshots: number; snapshotsOpen: number; tasks: number }>`
      select count(*) filter (where kind = 'part' and status <> 'succeeded') as "partsLeft",
             count(*) filter (where kind = 'part' and attempt > 0) as "partsBegun",
             count(*) filter (where kind = 'snapshot') as snapshots,
             count(*) filter (where kind = 'snapshot' and status in ('waiting', 'ready', 'running')) as "snapshotsOpen",
             count(*) as tasks
        from task
       where run_id = ${run}`.execute(this.#db)
    return rows[0] ?? { partsLeft: 0, partsBegun: 0, snapshots: 0, snapshotsOpen: 0, tasks: 0 }
  }

  async deleteAll(run: RunId): Promise<void> {
    await sql`delete from task where run_id = ${run}`.execute(this.#db)
  }

  /** Clean-ups whose run has no attempt left that a node still works on; made ready. */
  async releaseCleanups(): Promise<GatewayId[]> {
    const { rows } = await sql<{ gateway: GatewayId }>`
      update task as t
         set status = 'ready', ready_at = clock_timestamp()
       where kind = 'cleanup' and status = 'waiting'
         and not exists (select from attempt as a where a.run_id = t.run_id and a.ended_at is null)
   returning gateway_id as gateway`.execute(this.#db)
    return rows.map(({ gateway }) => gateway)
  }

  async #changed(statement: RawBuilder<unknown>): Promise<boolean> {
    const { numAffectedRows } = await statement.execute(this.#db)
    return (numAffectedRows ?? 0n) > 0n
  }
}

const countersOf = (c: Counters) => sql`
  rows_read = ${c.rowsRead}, rows_written = ${c.rowsWritten}, rows_skipped = ${c.rowsSkipped}, bytes_read = ${c.bytesRead},
  bytes_written = ${c.bytesWritten}`
