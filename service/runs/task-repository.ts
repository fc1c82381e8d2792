import type { GatewayId, NodeId, RunId, TaskId } from '@postern/protocol/ids.ts'
import type { Counters, TaskOrder } from '@postern/protocol/task-api.ts'
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
  /** The only node that may run it. */
  readonly pin: NodeId | null
}

export interface TaskFacts {
  readonly id: TaskId
  readonly kind: TaskKind
  readonly status: TaskStatus
  readonly attempt: number
  readonly failures: number
  readonly returns: number
}

/** All the SQL of what becomes of tasks; that of their attempts stands in attempt-repository.ts, who gets one next in task-queue.ts. */
export class TaskRepository {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  async add(run: RunOfTask, tasks: readonly NewTask[]): Promise<void> {
    await sql`
      insert into task (id, run_id, gateway_id, place, kind, name, status, estimated_rows, spec, pin)
      select t.id, ${run.id}, ${run.gatewayId}, t.place, t.kind, t.name, t.status, t."estimatedRows", t.spec, ${run.pin}
        from jsonb_to_recordset(${json(tasks)}::jsonb)
          as t(id text, place integer, kind text, name text, status text, "estimatedRows" float8, spec jsonb)`.execute(this.#db)
  }

  async runOf(id: TaskId): Promise<RunId | undefined> {
    const { rows } = await sql<{ run: RunId }>`select run_id as run from task where id = ${id}`.execute(this.#db)
    return rows[0]?.run
  }

  /** The parts that a clean-up is to look for in the target. */
  async begun(run: RunId): Promise<NonNullable<TaskOrder['parts']>> {
    const { rows } = await sql<NonNullable<TaskOrder['parts']>[number]>`
      select id as task, spec, null as result from task where run_id = ${run} and kind = 'part' and attempt > 0 order by place`.execute(
      this.#db,
    )
    return rows
  }

  /** Ready again after a while. */
  async again(id: TaskId, delayMs: number, counts: boolean): Promise<boolean> {
    return await this.#changed(sql`
      update task
         set status = 'ready', ready_at = clock_timestamp() + ${delayMs} * interval '1 millisecond',
             failures = failures + ${counts ? 1 : 0}, returns = returns + ${counts ? 0 : 1}
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

  /** What is left to be read, and to be held against what was read, is for this node; null: for any. */
  async pin(run: RunId, node: NodeId | null): Promise<void> {
    await sql`
      update task
         set pin = ${node}
       where run_id = ${run} and kind in ('part', 'finish') and status <> 'succeeded' and pin is distinct from ${node}`.execute(this.#db)
  }

  /** Finish is ready when the last part is done; undefined while one is not. */
  async unlockFinish(run: RunId): Promise<TaskId | undefined> {
    const { rows } = await sql<{ id: TaskId }>`
      update task
         set status = 'ready', ready_at = clock_timestamp()
       where run_id = ${run} and kind = 'finish' and status = any(${sourcesOf('unlock')})
         and not exists (select from task where run_id = ${run} and kind in ('part', 'repair') and status <> 'succeeded')
   returning id`.execute(this.#db)
    return rows[0]?.id
  }

  /** A new series of attempts for one that failed; it waits until nobody works for its run any more. */
  async rerunOne(id: TaskId): Promise<void> {
    await sql`
      update task
         set status = 'waiting', failures = 0, returns = 0, ready_at = clock_timestamp(), ended_at = null
       where id = ${id} and status = any(${sourcesOf('rerunLater')})`.execute(this.#db)
  }

  /** A new series of attempts for what did not succeed. */
  async rerun(run: RunId): Promise<void> {
    await sql`
      update task as t
         set status = case when kind in ('plan', 'part', 'repair') then 'ready' else 'waiting' end,
             failures = 0, returns = 0, ready_at = clock_timestamp(), ended_at = null
       where run_id = ${run} and kind in ('plan', 'part', 'repair', 'finish') and status = any(${sourcesOf('rerun')})`.execute(this.#db)
  }

  /** Of a run that succeeded and is looked at again. */
  async reopenFinish(run: RunId): Promise<void> {
    await sql`
      update task
         set status = 'waiting', failures = 0, returns = 0, ready_at = clock_timestamp(), ended_at = null
       where run_id = ${run} and kind = 'finish' and status = any(${sourcesOf('reopen')})`.execute(this.#db)
  }

  /** How many tasks the run has, and how many snapshots it has asked for. */
  async tally(run: RunId): Promise<{ readonly snapshots: number; readonly snapshotsOpen: number; readonly tasks: number }> {
    const { rows } = await sql<{ snapshots: number; snapshotsOpen: number; tasks: number }>`
      select count(*) filter (where kind = 'snapshot') as snapshots,
             count(*) filter (where kind = 'snapshot' and status in ('waiting', 'ready', 'running')) as "snapshotsOpen",
             count(*) as tasks
        from task
       where run_id = ${run}`.execute(this.#db)
    return rows[0] ?? { snapshots: 0, snapshotsOpen: 0, tasks: 0 }
  }

  /** The highest place of the parts. */
  async lastPlace(run: RunId): Promise<number> {
    const { rows } = await sql<{ place: number }>`
      select coalesce(max(place), 0) as place from task where run_id = ${run} and kind = 'part'`.execute(this.#db)
    return rows[0]?.place ?? 0
  }

  /** A repair took their rows out of the target. */
  async markReplaced(run: RunId, ids: readonly TaskId[]): Promise<void> {
    await sql`update task set replaced = true where run_id = ${run} and kind = 'part' and id = any(${ids})`.execute(this.#db)
  }

  /** The clean-up that was asked for last. */
  async lastCleanup(run: RunId): Promise<{ readonly id: TaskId; readonly status: TaskStatus; readonly kept: number } | undefined> {
    const { rows } = await sql<{ id: TaskId; status: TaskStatus; kept: number }>`
      select id, status, coalesce((result->>'kept')::integer, 0) as kept
        from task
       where run_id = ${run} and kind = 'cleanup'
       order by place desc
       limit 1`.execute(this.#db)
    return rows[0]
  }

  async deleteAll(run: RunId): Promise<void> {
    await sql`delete from task where run_id = ${run}`.execute(this.#db)
  }

  /** Clean-ups whose run has no attempt left that a node still works on; made ready. */
  async releaseCleanups(): Promise<GatewayId[]> {
    const { rows } = await sql<{ gateway: GatewayId }>`
      update task as t
         set status = 'ready', ready_at = clock_timestamp()
       where id in (select id
                      from task as w
                     where kind = 'cleanup' and status = 'waiting'
                       and not exists (select from attempt as a where a.run_id = w.run_id and a.ended_at is null)
                       for no key update skip locked)
   returning gateway_id as gateway`.execute(this.#db)
    return rows.map(({ gateway }) => gateway)
  }

  async #changed(statement: RawBuilder<unknown>): Promise<boolean> {
    const { numAffectedRows } = await statement.execute(this.#db)
    return (numAffectedRows ?? 0n) > 0n
  }
}

export const countersOf = (c: Counters): RawBuilder<unknown> => sql`
  rows_read = ${c.rowsRead}, rows_written = ${c.rowsWritten}, rows_skipped = ${c.rowsSkipped}, bytes_read = ${c.bytesRead},
  bytes_written = ${c.bytesWritten}, times = ${c.times ? json(c.times) : null}::jsonb`
