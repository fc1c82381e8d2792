import type { GatewayId, NodeId, RunId, StoreId, TaskId } from '@postern/protocol/ids.ts'
import type { TaskOrder } from '@postern/protocol/task-api.ts'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../db/database.ts'
import { type Candidate, chooseTasks } from './task-choice.ts'

export interface Pulling {
  readonly gatewayId: GatewayId
  readonly dispatcher: NodeId
  readonly epoch: number
  readonly max: number
  /** Free slots by node; undefined: not said. */
  readonly free: ReadonlyMap<NodeId, number> | undefined
  /** How many runs of the gateway may hold a snapshot of their source at a time. */
  readonly snapshots: number
  /** The node that gets what is taken, without a dispatch: its attempts are running at once. */
  readonly worker?: { readonly id: NodeId; readonly name: string }
}

export type PulledRow = Omit<TaskOrder, 'epoch' | 'parts' | 'limits' | 'run'> & {
  readonly run: RunId
  /** As what the target knows the run. */
  readonly targetRun: RunId
  /** Of what holds all parts against the source: their specs and results, in the order of the plan. */
  readonly parts: NonNullable<TaskOrder['parts']> | null
  /** The copy, or a store of it, allows only so much a second. */
  readonly limited: boolean
}

/** More than is asked for, of each class: one that may not go yet does not hide those behind it. */
const LOOK = 4

/** What is ready of a gateway, of any length, and who gets it next. */
export class TaskQueue {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  /**
   * Takes tasks and makes their attempts. One pull of a gateway at a time, or two would each give a run its last free place; and
   * undefined when the epoch is not that of now, or another has the lease.
   */
  async pull(pulling: Pulling): Promise<PulledRow[] | undefined> {
    return await this.#db.transaction().execute(async (tx) => {
      await sql`select pg_advisory_xact_lock(hashtextextended(${`pull ${pulling.gatewayId}`}, 0))`.execute(tx)
      const state = await stateOf(tx, pulling)
      if (!state.leads) return undefined
      if (!state.any) return []
      const candidates = await candidatesOf(tx, pulling, state.full)
      const { max, free, snapshots } = pulling
      const plans = Math.max(0, snapshots - state.snapshots)
      const chosen = chooseTasks(candidates, { max, free, stores: state.room, plans })
      if (chosen.length === 0) return []
      const ids: readonly TaskId[] = chosen.map(({ id }) => id)
      const rows = await take(tx, pulling, sql`select id from task where id = any(${ids}) and status = 'ready' for update skip locked`)
      return rows.toSorted((a, b) => ids.indexOf(a.task) - ids.indexOf(b.task))
    })
  }

  /**
   * What a worker goes on with when it has ended `task`, without a look at the others: the only part of what it has planned, or
   * what the rest of its run waits for. Its turn it would be anyway.
   */
  async pullAfter(task: TaskId, pulling: Pulling & Required<Pick<Pulling, 'worker'>>): Promise<PulledRow | undefined> {
    const { gatewayId, epoch, worker } = pulling
    const [row] = await take(
      this.#db,
      pulling,
      sql`
      select t.id
        from task as t
       where t.run_id = (select run_id from task where id = ${task})
         and t.status = 'ready' and t.ready_at <= clock_timestamp() and (t.pin is null or t.pin = ${worker.id})
         and (t.kind in ('finish', 'snapshot')
              or (t.kind = 'part' and not exists (select from task as o where o.run_id = t.run_id and o.kind = 'part' and o.id <> t.id)))
         and exists (select from dispatcher_lease where gateway_id = ${gatewayId} and epoch = ${epoch} and until > now())
       limit 1
         for update skip locked`,
    )
    return row
  }

  /** In how many milliseconds the next task of the gateway is ready; undefined when none is to come by itself. */
  async nextReadyMs(gatewayId: GatewayId): Promise<number | undefined> {
    const { rows } = await sql<{ ms: number | null }>`
      select (extract(epoch from min(ready_at) - clock_timestamp()) * 1000)::float8 as ms
        from task
       where gateway_id = ${gatewayId} and status = 'ready' and ready_at > clock_timestamp()`.execute(this.#db)
    return rows[0]?.ms ?? undefined
  }

  /** Tasks of each gateway that could go now if there were a free slot, and how long the first of them has waited. */
  async lengths(): Promise<readonly { readonly gateway: GatewayId; readonly tasks: number; readonly waitedMs: number }[]> {
    const { rows } = await sql<{ gateway: GatewayId; tasks: number; waitedMs: number }>`
      select gateway_id as gateway, count(*) as tasks,
             (extract(epoch from clock_timestamp() - min(ready_at)) * 1000)::float8 as "waitedMs"
        from task
       where status = 'ready' and ready_at <= clock_timestamp()
       group by gateway_id`.execute(this.#db)
    return rows
  }

  /** The same of one run, and how many tasks of others became ready before. */
  async ofRun(run: RunId): Promise<{ readonly tasks: number; readonly waitedMs: number; readonly before: number | null }> {
    const { rows } = await sql<{ tasks: number; waitedMs: number | null; before: number | null }>`
      with own as (
        select min(gateway_id) as gateway_id, min(ready_at) as ready_at, count(*) as tasks
          from task
         where run_id = ${run} and status = 'ready' and ready_at <= clock_timestamp())
      select own.tasks, (extract(epoch from clock_timestamp() - own.ready_at) * 1000)::float8 as "waitedMs",
             case when own.tasks > 0
                  then (select count(*)
                          from task
                         where gateway_id = own.gateway_id and status = 'ready' and ready_at < own.ready_at and run_id <> ${run})
              end as before
        from own`.execute(this.#db)
    const [row] = rows
    return { tasks: row?.tasks ?? 0, waitedMs: row?.waitedMs ?? 0, before: row?.before ?? null }
  }
}

interface QueueState {
  readonly leads: boolean
  readonly any: boolean
  /** Active runs whose snapshot a node holds, and plans that are being made. */
  readonly snapshots: number
  readonly room: ReadonlyMap<StoreId, number>
  readonly full: readonly StoreId[]
}

async function stateOf(tx: Db, { gatewayId, epoch, dispatcher, worker }: Pulling): Promise<QueueState> {
  const { rows } = await sql<{ leads: boolean; any: boolean; snapshots: number; stores: Record<StoreId, number> | null }>`
    select exists (select
                     from dispatcher_lease
                    where gateway_id = ${gatewayId} and epoch = ${epoch} and until > now()
                      and (node_id = ${dispatcher} or ${worker !== undefined})) as leads,
           exists (select from task where gateway_id = ${gatewayId} and status = 'ready' and ready_at <= clock_timestamp()) as any,
           (select count(*)
              from run as r
             where gateway_id = ${gatewayId} and status in ('queued', 'running') and context is not null and snapshot_node is not null)
         + (select count(*) from task where gateway_id = ${gatewayId} and status = 'running' and kind = 'plan') as snapshots,
           (select jsonb_object_agg(s.id, (s.limits->>'copyTasks')::integer
                     - (select count(*)
                          from task as t join run as r on r.id = t.run_id
                         where t.status = 'running' and t.kind in ('plan', 'part') and (r.source_id = s.id or r.sink_id = s.id)))
              from store as s
             where s.gateway_id = ${gatewayId} and s.limits ? 'copyTasks') as stores`.execute(tx)
  const [row] = rows
  const room = new Map(Object.entries(row?.stores ?? {}) as [StoreId, number][])
  const full = [...room].filter(([, left]) => left <= 0).map(([store]) => store)
  return { leads: row?.leads ?? false, any: row?.any ?? false, snapshots: row?.snapshots ?? 0, room, full }
}

async function candidatesOf(tx: Db, { gatewayId, max, free }: Pulling, full: readonly StoreId[]): Promise<readonly Candidate[]> {
  const count = max + LOOK
  const here = free ? sql`and (t.pin is null or t.pin = any(${[...free.keys()]}))` : sql``
  const open = sql`not (r.source_id = any(${full}) or r.sink_id = any(${full}))`
  const ready = sql`t.status = 'ready' and t.ready_at <= clock_timestamp() ${here}`
  const { rows } = await sql<Candidate>`
    with going as materialized (
      select r.id, r.parallel,
             (select count(*) from task where run_id = r.id and status = 'running' and kind = 'part') as parts
        from run as r
       where r.gateway_id = ${gatewayId} and r.status in ('queued', 'running') and r.context is not null and ${open}
    ), found as (
      (select t.id
         from task as t
        where t.gateway_id = ${gatewayId} and t.kind in ('finish', 'snapshot', 'repair', 'cleanup') and ${ready}
        order by t.ready_at
        limit ${count})
      union all
      (select next.id
         from going, lateral (select t.id
                                from task as t
                               where t.run_id = going.id and t.kind = 'part' and ${ready}
                               order by t.place
                               limit least(${count}, greatest(0, coalesce(going.parallel - going.parts, ${count})))) as next)
      union all
      (select t.id
         from task as t join run as r on r.id = t.run_id
        where t.gateway_id = ${gatewayId} and t.kind = 'plan' and ${ready} and ${open}
        order by t.ready_at, t.id
        limit ${count})
    )
    select t.id, t.run_id as run, t.kind, t.place, t.pin, r.source_id as source, r.sink_id as sink, r.parallel,
           busy.all as running, busy.parts as "runningParts", (extract(epoch from r.created_at) * 1000)::float8 as "askedAt"
      from found
      join task as t on t.id = found.id
      join run as r on r.id = t.run_id,
           lateral (select count(*) as all, count(*) filter (where kind = 'part') as parts
                      from task
                     where run_id = r.id and status = 'running') as busy`.execute(tx)
  return rows
}

/** Two pulls never get the same task: a taken one is not ready any more, and one that is being changed is skipped. */
async function take(tx: Db, { epoch, dispatcher, worker }: Pulling, picked: RawBuilder<unknown>): Promise<PulledRow[]> {
  const { rows } = await sql<PulledRow>`
    with picked as (${picked}), taken as (
      update task as t
         set status = 'running', attempt = t.attempt + 1, started_at = coalesce(t.started_at, clock_timestamp()), ended_at = null,
             node = coalesce(${worker?.name ?? null}, t.node), times = null, rows_read = 0, rows_written = 0, rows_skipped = 0,
             bytes_read = 0, bytes_written = 0,
             queue_ms = t.queue_ms + greatest(0, extract(epoch from clock_timestamp() - t.ready_at) * 1000)
        from picked
       where t.id = picked.id
   returning t.*
    ), made as (
      insert into attempt (task_id, number, run_id, status, epoch, dispatcher_id, context_version, started_at, seen_at, node_id, node)
      select taken.id, taken.attempt, r.id, ${worker ? 'running' : 'dispatched'}, ${epoch}, ${dispatcher}, r.context_version,
             clock_timestamp(), clock_timestamp(), ${worker?.id ?? null}, ${worker?.name ?? null}
        from taken join run as r on r.id = taken.run_id
    )
    select r.id as run, coalesce(r.target_run, r.id) as "targetRun", taken.id as task, taken.attempt, taken.kind, r.copy, taken.spec, r.context, taken.pin as node,
           case when taken.kind = 'plan' and r.copy ? 'watermark'
                then (select before.watermark
                        from run as before
                       where before.source_id = r.source_id and before.sink_id = r.sink_id and before.status = 'succeeded'
                         and before.watermark is not null and before.copy->>'from' = r.copy->>'from' and before.copy->>'to' = r.copy->>'to'
                         and before.copy->>'watermark' = r.copy->>'watermark'
                       order by before.ended_at desc
                       limit 1)
            end as watermark,
           jsonb_build_object('id', r.source_id, 'name', r.copy->>'source', 'version', coalesce(source.version, 1))
             || case when source.gateway_id <> r.gateway_id and afar.public_key is not null
                     then jsonb_build_object('remote', jsonb_build_object('kind', source.kind, 'publicKey', afar.public_key))
                     else '{}'
                end as source,
           jsonb_build_object('id', r.sink_id, 'name', r.copy->>'sink', 'version', coalesce(sink.version, 1)) as sink,
           (select jsonb_build_object('id', s.id, 'name', s.name, 'version', s.version)
              from store as s
             where s.name = r.copy#>>'{skipIncompatibleRows,rejects,store}') as rejects,
           case when taken.kind in ('finish', 'repair')
                then (select jsonb_agg(jsonb_build_object('task', p.id, 'spec', p.spec, 'result', p.result) order by p.place)
                        from task as p
                       where p.run_id = r.id and p.kind = 'part' and not p.replaced)
            end as parts,
           (r.copy || coalesce(source.limits, '{}') || coalesce(sink.limits, '{}')) ?| array['rowsPerSecond', 'bytesPerSecond'] as limited
      from taken
      join run as r on r.id = taken.run_id
      left join store as source on source.id = r.source_id
      left join gateway as afar on afar.id = source.gateway_id
      left join store as sink on sink.id = r.sink_id`.execute(tx)
  return rows
}
