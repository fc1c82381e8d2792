import type { RunStatus, VerificationReport } from '@postern/protocol/api/runs.ts'
import type { GatewayId, NodeId, PersonId, RunId, TaskId, TokenId } from '@postern/protocol/ids.ts'
import type { PlanResult } from '@postern/protocol/task-api.ts'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../db/database.ts'
import { json } from '../db/tables.ts'
import type { Where } from '../rights/rights.ts'
import type { RunEnds } from './run-access.ts'
import type { AttemptRecord, FaultNote, RunRecord, TaskRecord } from './run-record.ts'

/** What a report must know of its run; read with the row locked, so that reports of one run come one after the other. */
export interface LockedRun {
  readonly id: RunId
  readonly gatewayId: GatewayId
  readonly status: RunStatus
  readonly planned: boolean
  readonly contextVersion: number
  readonly snapshotNode: NodeId | null
  readonly verified: VerificationReport['status'] | null
  readonly pin: NodeId | null
  /** The only node that can read under the snapshot. */
  readonly reader: NodeId | null
  /** How often a task is tried again. */
  readonly retries: number
}

export interface RunFilter {
  readonly gateway?: string | undefined
  /** `active`: queued or running. */
  readonly status?: RunStatus | 'active' | undefined
  /** In its name, its id or who started it; capitals count for nothing. */
  readonly text?: string | undefined
  /** Of all these, each must hold: on the gateway that runs it, or on both ends. Left out: all runs. */
  readonly sees?: readonly Where[] | undefined
  /** Shown whatever holds. */
  readonly own?: PersonId | TokenId | undefined
}

export interface RunPlace {
  readonly createdUs: number
  readonly id: string
}

export type NewRun = Pick<
  RunRecord,
  'id' | 'gatewayId' | 'gateway' | 'name' | 'startedBy' | 'startedById' | 'copy' | 'sourceId' | 'sinkId' | 'pin'
>

const RUN: RawBuilder<RunRecord> = sql`
  r.id, r.gateway_id as "gatewayId", r.gateway, r.name, r.status, r.started_by as "startedBy", r.started_by_id as "startedById", r.copy, r.source_id as "sourceId",
  r.sink_id as "sinkId", (select store.gateway_id from store where store.id = r.source_id) as "sourceGatewayId", r.created_at as "createdAt", (extract(epoch from r.created_at) * 1000000)::bigint as "createdUs", r.started_at as "startedAt", r.ended_at as "endedAt",
  round(extract(epoch from coalesce(r.ended_at, clock_timestamp()) - r.created_at) * 1000)::float8 as "durationMs",
  r.guarantee, r.lane, r.notes, r.verification, r.fault, r.pin, r.parallel, clock_timestamp() as now,
  sums.read as "rowsRead", sums.written as "rowsWritten", sums.skipped as "rowsSkipped", sums.in as "bytesRead", sums.out as "bytesWritten"`
const SUMS = sql`
  lateral (select coalesce(sum(rows_read), 0)::bigint as read, coalesce(sum(rows_written), 0)::bigint as written,
                  coalesce(sum(rows_skipped), 0)::bigint as skipped, coalesce(sum(bytes_read), 0)::bigint as in,
                  coalesce(sum(bytes_written), 0)::bigint as out
             from task
            where run_id = r.id) as sums`

function seenRuns(sees: readonly Where[]): RawBuilder<unknown> {
  const each = sees.map(
    ({ gateways, stores }) => sql`
      (gateway_id = any(${[...gateways]})
       or (sink_id = any(${[...stores]})
           and (source_id = any(${[...stores]}) or (select s.gateway_id from store as s where s.id = source_id) = any(${[...gateways]}))))`,
  )
  return each.length === 0 ? sql`true` : sql`(${sql.join(each, sql` and `)})`
}

/** All the SQL of runs as a whole. */
export class RunRepository {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  async add(run: NewRun): Promise<void> {
    await this.#db
      .insertInto('run')
      .values({
        id: run.id,
        gateway_id: run.gatewayId,
        gateway: run.gateway,
        name: run.name,
        started_by: run.startedBy,
        started_by_id: run.startedById,
        copy: json(run.copy),
        source_id: run.sourceId,
        sink_id: run.sinkId,
        notes: json([]),
        parallel: run.copy.parallel ?? null,
        pin: run.pin,
        timeout_ms: run.copy.timeoutMs ?? null,
      })
      .execute()
  }

  async lock(id: RunId): Promise<LockedRun | undefined> {
    return await this.#lock(sql`${id}`)
  }

  async lockOfTask(id: TaskId): Promise<LockedRun | undefined> {
    return await this.#lock(sql`(select run_id from task where id = ${id})`)
  }

  async #lock(id: RawBuilder<unknown>): Promise<LockedRun | undefined> {
    const { rows } = await sql<LockedRun>`
      select id, gateway_id as "gatewayId", status, context is not null as planned, verification->>'status' as verified, context_version as "contextVersion", snapshot_node as "snapshotNode",
             pin, reader, coalesce((copy->>'retries')::integer, 3) as retries
        from run
       where id = ${id}
         for update`.execute(this.#db)
    return rows[0]
  }

  async ends(id: RunId): Promise<RunEnds | undefined> {
    const { rows } = await sql<RunEnds>`
      select id, gateway_id as "gatewayId", source_id as "sourceId", sink_id as "sinkId", started_by_id as "startedById",
             (select store.gateway_id from store where store.id = source_id) as "sourceGatewayId"
        from run
       where id = ${id}`.execute(this.#db)
    return rows[0]
  }

  async find(id: RunId): Promise<RunRecord | undefined> {
    const { rows } = await sql<RunRecord>`select ${RUN} from run as r, ${SUMS} where r.id = ${id}`.execute(this.#db)
    return rows[0]
  }

  /** Newest first. */
  async page({ gateway, status, text, sees = [], own }: RunFilter, place: RunPlace | undefined, count: number): Promise<RunRecord[]> {
    const { rows } = await sql<RunRecord>`
      select ${RUN}
        from (select *
                from run
               where (${gateway ?? null}::text is null or gateway = ${gateway ?? null})
                 and (${status ?? null}::text is null or status = ${status ?? null}
                      or (${status ?? null} = 'active' and status in ('queued', 'running')))
                 and (${text ?? null}::text is null
                      or strpos(lower(concat_ws(E'\\n', name, id, started_by)), lower(${text ?? null}::text)) > 0)
                 and (${own ?? null}::text = started_by_id or ${seenRuns(sees)})
                 and (${place?.id ?? null}::text is null
                      or (created_at, id) < (timestamptz 'epoch' + ${place?.createdUs ?? null}::float8 * interval '1 microsecond', ${place?.id ?? null}))
               order by created_at desc, id desc
               limit ${count}) as r, ${SUMS}
       order by r.created_at desc, r.id desc`.execute(this.#db)
    return rows
  }

  async tasks(id: RunId): Promise<TaskRecord[]> {
    const { rows } = await sql<TaskRecord>`
      select id, run_id as "runId", kind, name, status, node, estimated_rows as "estimatedRows", rows_read as "rowsRead",
             rows_written as "rowsWritten", rows_skipped as "rowsSkipped", bytes_read as "bytesRead", bytes_written as "bytesWritten",
             round(extract(epoch from coalesce(ended_at, case when status = 'running' then clock_timestamp() end) - started_at) * 1000)::float8
               as "durationMs", queue_ms as "queueMs", times
        from task
       where run_id = ${id}
       order by place, id`.execute(this.#db)
    return rows
  }

  async attempts(id: RunId): Promise<AttemptRecord[]> {
    const { rows } = await sql<AttemptRecord>`
      select task_id as "taskId", number, node, node_id as "nodeId", status, started_at as "startedAt", ended_at as "endedAt",
             rows_read as "rowsRead", rows_written as "rowsWritten", bytes_read as "bytesRead", bytes_written as "bytesWritten", fault
        from attempt
       where run_id = ${id}
       order by task_id, number`.execute(this.#db)
    return rows
  }

  /** True when it was queued until now. */
  async begin(id: RunId): Promise<boolean> {
    return await this.#changed(sql`
      update run set status = 'running', started_at = coalesce(started_at, now()) where id = ${id} and status = 'queued'`)
  }

  /** True when it was active until now. */
  async end(id: RunId, status: 'failed' | 'cancelled', fault: FaultNote | null): Promise<boolean> {
    return await this.#changed(sql`
      update run
         set status = ${status}, ended_at = clock_timestamp(), fault = ${fault && json(fault)}::jsonb
       where id = ${id} and status in ('queued', 'running')`)
  }

  /** The same, with what verifying it has found. */
  async succeed(id: RunId, verification: VerificationReport, notes: readonly string[]): Promise<boolean> {
    return await this.#changed(sql`
      update run
         set status = 'succeeded', ended_at = clock_timestamp(), fault = null, verification = ${json(verification)}::jsonb,
             notes = notes || ${json(notes)}::jsonb
       where id = ${id} and status in ('queued', 'running')`)
  }

  async reopen(id: RunId): Promise<void> {
    await sql`
      update run
         set status = 'queued', ended_at = null, fault = null, verification = null, opened_at = clock_timestamp()
       where id = ${id}`.execute(this.#db)
  }

  async keepPlan(id: RunId, plan: PlanResult, snapshotNode: NodeId | null): Promise<void> {
    await sql`
      update run
         set guarantee = ${plan.guarantee}, lane = ${plan.lane}, notes = notes || ${json(plan.notes)}::jsonb,
             context = ${json(plan.context)}::jsonb, context_version = context_version + 1, snapshot_node = ${snapshotNode},
             watermark = ${plan.watermark ?? null}
       where id = ${id}`.execute(this.#db)
  }

  /** Who alone can read under the snapshot of the run; null: any node, or none. */
  async keepReader(id: RunId, reader: NodeId | null): Promise<void> {
    await sql`update run set reader = ${reader} where id = ${id} and reader is distinct from ${reader}`.execute(this.#db)
  }

  /** Active runs that only one node can go on with. */
  async read(): Promise<{ readonly id: RunId; readonly gatewayId: GatewayId; readonly reader: NodeId }[]> {
    const { rows } = await sql<{ id: RunId; gatewayId: GatewayId; reader: NodeId }>`
      select id, gateway_id as "gatewayId", reader
        from run
       where reader is not null and status in ('queued', 'running')`.execute(this.#db)
    return rows
  }

  /** The parts that are to come change what the plan said. */
  async keepRepair(id: RunId, context: unknown): Promise<void> {
    await sql`
      update run set context = ${json(context)}::jsonb, verification = null where id = ${id}`.execute(this.#db)
  }

  async keepSnapshot(id: RunId, context: unknown, snapshotNode: NodeId | null): Promise<void> {
    await sql`
      update run
         set context = ${json(context)}::jsonb, context_version = context_version + 1, snapshot_node = ${snapshotNode}
       where id = ${id}`.execute(this.#db)
  }

  async keepVerification(id: RunId, verification: VerificationReport, notes: readonly string[]): Promise<void> {
    await sql`
      update run set verification = ${json(verification)}::jsonb, notes = notes || ${json(notes)}::jsonb where id = ${id}`.execute(this.#db)
  }

  async note(id: RunId, notes: readonly string[]): Promise<void> {
    if (notes.length > 0) await sql`update run set notes = notes || ${json(notes)}::jsonb where id = ${id}`.execute(this.#db)
  }

  /** Nothing of the plan counts any more: the run starts over, under another name in the target. */
  async forgetPlan(id: RunId, targetRun: RunId): Promise<void> {
    await sql`
      update run
         set guarantee = null, lane = null, context = null, snapshot_node = null, reader = null, watermark = null,
             context_version = context_version + 1, target_run = ${targetRun}
       where id = ${id}`.execute(this.#db)
  }

  /** Active runs whose time is over. */
  async overdue(): Promise<{ readonly id: RunId; readonly gatewayId: GatewayId; readonly timeoutMs: number }[]> {
    const { rows } = await sql<{ id: RunId; gatewayId: GatewayId; timeoutMs: number }>`
      select id, gateway_id as "gatewayId", timeout_ms as "timeoutMs"
        from run
       where timeout_ms is not null and status in ('queued', 'running')
         and opened_at + timeout_ms * interval '1 millisecond' < clock_timestamp()`.execute(this.#db)
    return rows
  }

  /** Of these runs, the ones that go on and whose snapshot this node should hold. */
  async snapshotsToKeep(runs: readonly RunId[], node: NodeId): Promise<RunId[]> {
    const { rows } = await sql<{ id: RunId }>`
      select coalesce(target_run, id) as id
        from run
       where coalesce(target_run, id) = any(${runs}) and status in ('queued', 'running')
         and (snapshot_node = ${node}
              -- Taken by an attempt that has not reported it yet, and may take longer than a beat.
              or exists (select from attempt as a join task as t on t.id = a.task_id
                          where a.run_id = run.id and t.kind not in ('part', 'finish', 'cleanup')
                            and a.status in ('dispatched', 'running') and coalesce(a.node_id, ${node}) = ${node}))`.execute(this.#db)
    return rows.map(({ id }) => id)
  }

  async #changed(statement: RawBuilder<unknown>): Promise<boolean> {
    const { numAffectedRows } = await statement.execute(this.#db)
    return (numAffectedRows ?? 0n) > 0n
  }
}
