import type { QueryFormat, QueryView } from '@postern/protocol/api/queries.ts'
import type { QueryId } from '@postern/protocol/ids.ts'
import type { Considered } from './choose.ts'

export type QueryOutcome = QueryView['outcome']

export interface AttemptRecord {
  readonly node: string
  readonly startedAt: number
  durationMs: number
  outcome: 'answered' | 'failed' | 'cancelled'
  fault: string | null
}

/** What is known of one query, filled while it runs. Times of the wall clock in milliseconds. */
export interface QueryRecord {
  readonly id: QueryId
  readonly store: string
  readonly gateway: string
  readonly caller: string
  readonly format: QueryFormat
  readonly mode: 'read' | 'write'
  readonly startedAt: number
  node: string | null
  outcome: QueryOutcome
  queuedMs: number
  firstRowMs: number | null
  durationMs: number | null
  rows: number
  bytes: number
  /** Code and text of what went wrong. */
  fault: string | null
  candidates: readonly Considered[]
  readonly attempts: AttemptRecord[]
}

export function queryView(record: QueryRecord): QueryView {
  const { id, store, gateway, caller, node, outcome, queuedMs, firstRowMs, durationMs, rows, bytes, fault } = record
  return {
    id,
    store,
    gateway,
    caller,
    node,
    outcome,
    startedAt: new Date(record.startedAt).toISOString(),
    queuedMs,
    firstRowMs,
    durationMs,
    rows,
    bytes,
    fault,
    candidates: [...record.candidates],
    attempts: record.attempts.map((attempt) => ({ ...attempt, startedAt: new Date(attempt.startedAt).toISOString() })),
  }
}
