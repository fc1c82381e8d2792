import type { Json } from '../db/tables.ts'
import type { Considered } from './choose.ts'
import type { AttemptRecord } from './query-record.ts'

export interface QueryTables {
  query_log: {
    id: string
    store: string
    gateway: string
    caller: string
    caller_id: string | null
    store_id: string | null
    gateway_id: string | null
    address: string | null
    format: string
    mode: string
    node: string | null
    outcome: 'succeeded' | 'failed' | 'cancelled'
    started_at: Date
    queued_ms: number
    first_row_ms: number | null
    duration_ms: number
    rows: number
    bytes: number
    fault: string | null
    sql: string | null
    candidates: Json<readonly Considered[]>
    attempts: Json<AttemptRecord[]>
  }
}
