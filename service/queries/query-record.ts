import type { QueryFormat, QueryView } from '@postern/protocol/api/queries.ts'
import type { Fault } from '@postern/protocol/fault.ts'
import type { GatewayId, PersonId, QueryId, StoreId, TokenId } from '@postern/protocol/ids.ts'
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
  /** Whose it is, and where it was asked: names may change hands, ids do not. Null in what is older than this. */
  readonly callerId: PersonId | TokenId | null
  readonly storeId: StoreId | null
  readonly gatewayId: GatewayId | null
  readonly address: string | null
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
  /** Whether its gateway keeps ended queries. */
  readonly kept: boolean
  /** Only where the gateway says so. */
  readonly sql: string | null
  /** Code and text of what went wrong, without values of parameters. */
  fault: string | null
  candidates: readonly Considered[]
  readonly attempts: AttemptRecord[]
}

export function queryView(record: QueryRecord): QueryView {
  const { id, store, gateway, caller, node, outcome, queuedMs, firstRowMs, durationMs, rows, bytes, fault, sql } = record
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
    sql,
    candidates: [...record.candidates],
    attempts: record.attempts.map((attempt) => ({ ...attempt, startedAt: new Date(attempt.startedAt).toISOString() })),
  }
}

/** What was said of the nodes that were tried stays; the others are seen anew. */
export function candidatesAfter({ attempts, candidates }: QueryRecord, considered: readonly Considered[]): readonly Considered[] {
  if (attempts.length === 0) return considered
  const tried = new Set(attempts.map(({ node }) => node))
  return [
    ...candidates.filter(({ node }) => tried.has(node)),
    ...considered
      .filter(({ node }) => !tried.has(node))
      .map((one) => (one.taken ? { ...one, reason: `${one.reason}, after a failed attempt` } : one)),
  ]
}

/** So short a value is taken out only where it stands in quotes: it may be part of any word. */
const SHORT = 4

/** As it may be kept. Stores quote values in their errors, and a parameter is never kept. */
export function faultInWords(fault: Fault, params: readonly unknown[]): string {
  let words = fault.message
  for (const param of params) {
    const value = param === null ? '' : String(param)
    if (value.length >= SHORT) words = words.replaceAll(value, '…')
    else if (value !== '') words = words.replaceAll(`"${value}"`, '"…"').replaceAll(`'${value}'`, "'…'")
  }
  return `${fault.code}: ${words}`
}
