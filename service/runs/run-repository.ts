import type { RunStatus, VerificationReport } from '@postern/protocol/api/runs.ts'
import type { NodeId, RunId } from '@postern/protocol/ids.ts'
import type { PlanResult } from '@postern/protocol/node-api.ts'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../db/database.ts'
import { json } from '../db/tables.ts'
import type { AttemptRecord, FaultNote, RunRecord, TaskRecord } from './run-record.ts'

/** What a report must know of its run; read with the row locked, so that reports of one run come one after the other. */
export interface LockedRun {
  readonly id: RunId
  readonly status: RunStatus
  readonly planned: boolean
  readonly contextVersion: number
  readonly snapshotNode: NodeId | null
}

export interface RunFilter {
  readonly gateway?: string | undefined
  readonly status?: RunStatus | undefined
}

export interface RunPlace {
  readonly createdAt: number
  readonly id: string
}

export type NewRun = Pick<RunRecord, 'id' | 'gatewayId' | 'gateway' | 'name' | 'startedBy' | 'copy' | 'sourceId' | 'sinkId'>

const RUN: RawBuilder<RunRecord> = sql`
  r.id, r.gateway_id as "gatewayId", r.gateway, r.name, r.status, r.started_by as "startedBy", r.copy, r.source_id as "sourceId",
  r.sink_id as "sinkId", r.created_at as "createdAt", r.started_at as "startedAt", r.ended_at as "endedAt",
  round(extract(epoch from coalesce(r.ended_at, clock_timestamp()) - r.created_at) * 1000)::float8 as "durationMs",
  r.guarantee, r.lane, r.notes, r.verification, r.fault,
  sums.read as "rowsRead", sums.written as "rowsWritten", sums.skipped as "rowsSkipped", sums.in as "bytesRead", sums.out as "bytesWritten"`
const SUMS = sql`
  lateral (select coalesce(sum(rows_read), 0)::bigint as read, coalesce(sum(rows_written), 0)::bigint as written,
                  coalesce(sum(rows_skipped), 0)::bigint as skipped, coalesce(sum(bytes_read), 0)::bigint as in,
                  coalesce(sum(bytes_written), 0)::bigint as out
             from task
            where run_id = r.id) as sums`

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
        copy: json(run.copy),
        source_id: run.sourceId,
        sink_id: run.sinkId,
        notes: json([]),
      })
      .execute()
  }

  async lock(id: RunId): Promise<LockedRun | undefined> {
    const { rows } = await sql<LockedRun>`
      select id, status, context is not null as planned, context_version as "contextVersion", snapshot_node as "snapshotNode"
        from run
       where id = ${id}
         for update`.execute(this.#db)
    return rows[0]
  }

  async find(id: RunId): Promise<RunRecord | undefined> {
    const { rows } = await sql<RunRecord>`select ${RUN} from run as r, ${SUMS} where r.id = ${id}`.execute(this.#db)
    return rows[0]
  }

  /** Newest first. */
  async page({ gateway, status }: RunFilter, place: RunPlace | undefined, count: number): Promise<RunRecord[]> {
    const { rows } = await sql<RunRecord>`
      select ${RUN}
        from (select *
                from run
               where (${gateway ?? null}::text is null or gateway = ${gateway ?? null})
                 and (${status ?? null}::text is null or status = ${status ?? null})
                 and (${place?.id ?? null}::text is null
                      or (created_at, id) < (to_timestamp(${place?.createdAt ?? null}::float8 / 1000.0), ${place?.id ?? null}))
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
               as "durationMs"
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
  async end(id: RunId, status: 'succeeded' | 'failed' | 'cancelled', fault: FaultNote | null): Promise<boolean> {
    return await this.#changed(sql`
      update run
         set status = ${status}, ended_at = clock_timestamp(), fault = ${fault && json(fault)}::jsonb
       where id = ${id} and status in ('queued', 'running')`)
  }

  async reopen(id: RunId): Promise<void> {
    await sql`
      update run
         set status = 'queued', ended_at = null, fault = null, verification = null
       where id = ${id}`.execute(this.#db)
  }

  async keepPlan(id: RunId, plan: PlanResult, snapshotNode: NodeId | null): Promise<void> {
    await sql`
      update run
         set guarantee = ${plan.guarantee}, lane = ${plan.lane}, notes = notes || ${json(plan.notes)}::jsonb,
             context = ${json(plan.context)}::jsonb, context_version = context_version + 1, snapshot_node = ${snapshotNode}
       where id = ${id}`.execute(this.#db)
  }

  async keepSnapshot(id: RunId, context: unknown, snapshotNode: NodeId | null): Promise<void> {
    await sql`
      update run
         set context = ${json(context)}::jsonb, context_version = context_version + 1, snapshot_node = ${snapshotNode}
       where id = ${id}`.execute(this.#db)
  }

  async keepVerification(id: RunId, verification: VerificationReport): Promise<void> {
    await sql`update run set verification = ${json(verification)}::jsonb where id = ${id}`.execute(this.#db)
  }

  async note(id: RunId, notes: readonly string[]): Promise<void> {
    if (notes.length > 0) await sql`update run set notes = notes || ${json(notes)}::jsonb where id = ${id}`.execute(this.#db)
  }

  /** Of these runs, the ones that go on and whose snapshot this node should hold. */
  async snapshotsToKeep(runs: readonly RunId[], node: NodeId): Promise<RunId[]> {
    const { rows } = await sql<{ id: RunId }>`
      select id
        from run
       where id = any(${runs}) and status in ('queued', 'running') and snapshot_node = ${node}`.execute(this.#db)
    return rows.map(({ id }) => id)
  }

  async #changed(statement: RawBuilder<unknown>): Promise<boolean> {
    const { numAffectedRows } = await statement.execute(this.#db)
    return (numAffectedRows ?? 0n) > 0n
  }
}
