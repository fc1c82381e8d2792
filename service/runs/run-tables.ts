import type { Copy, Guarantee, RunStatus, VerificationReport } from '@postern/protocol/api/runs.ts'
import type { GatewayId, NodeId, PersonId, RunId, StoreId, TaskId, TokenId } from '@postern/protocol/ids.ts'
import type { Times } from '@postern/protocol/task-api.ts'
import type { Generated } from 'kysely'
import type { Defaulted, Json } from '../db/tables.ts'
import type { AttemptStatus } from './attempt-status.ts'
import type { FaultNote } from './run-record.ts'
import type { TaskKind, TaskStatus } from './task-status.ts'

export interface RunTables {
  run: {
    id: RunId
    gateway_id: GatewayId
    gateway: string
    name: string
    status: Generated<RunStatus>
    started_by: string
    started_by_id: PersonId | TokenId | null
    acting_for: string | null
    acting_for_id: PersonId | TokenId | null
    acting_token_id: TokenId | null
    rejects_id: StoreId | null
    copy: Json<Copy>
    source_id: StoreId
    sink_id: StoreId
    created_at: Generated<Date>
    started_at: Defaulted<Date | null>
    ended_at: Defaulted<Date | null>
    guarantee: Guarantee | null
    lane: string | null
    notes: Json<readonly string[]>
    verification: Json<VerificationReport> | null
    fault: Json<FaultNote> | null
    context: Json<unknown> | null
    context_version: Generated<number>
    snapshot_node: NodeId | null
    parallel: number | null
    pin: NodeId | null
    timeout_ms: number | null
    opened_at: Generated<Date>
    watermark: string | null
    target_run: RunId | null
  }
  task: {
    id: TaskId
    run_id: RunId
    gateway_id: GatewayId
    place: number
    kind: TaskKind
    name: string
    status: TaskStatus
    estimated_rows: number | null
    spec: Json<unknown> | null
    result: Json<unknown> | null
    attempt: Generated<number>
    failures: Generated<number>
    ready_at: Defaulted<Date>
    node: string | null
    started_at: Date | null
    ended_at: Date | null
    rows_read: Generated<number>
    rows_written: Generated<number>
    rows_skipped: Generated<number>
    bytes_read: Generated<number>
    bytes_written: Generated<number>
    pin: NodeId | null
    returns: Generated<number>
    queue_ms: Generated<number>
    times: Json<Times> | null
    replaced: Generated<boolean>
  }
  attempt: {
    task_id: TaskId
    number: number
    run_id: RunId
    status: AttemptStatus
    epoch: number
    dispatcher_id: NodeId
    node_id: NodeId | null
    node: string | null
    context_version: number
    started_at: Generated<Date>
    seen_at: Generated<Date>
    ended_at: Date | null
    rows_read: Generated<number>
    rows_written: Generated<number>
    bytes_read: Generated<number>
    bytes_written: Generated<number>
    fault: Json<FaultNote> | null
  }
}
