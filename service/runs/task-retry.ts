import type { Fault } from '@postern/protocol/fault.ts'
import type { TaskKind } from './task-status.ts'

/** What becomes of a task whose attempt gave nothing. */
export type Verdict =
  /** Ready again after a while; `counts` towards the retries of the copy. */
  | { readonly is: 'again'; readonly delayMs: number; readonly counts: boolean }
  /** Its snapshot is gone: it waits for a new one. */
  | { readonly is: 'hold' }
  | { readonly is: 'fail' }

export interface AttemptEnd {
  readonly kind: TaskKind
  /** Attempts that counted before this one. */
  readonly failures: number
  /** Attempts that did not count: handed back, or there was no room in the store. */
  readonly returns: number
  /** How often a task is tried again. */
  readonly retries: number
  /** Snapshots that the run has taken anew. */
  readonly snapshots: number
  /** The attempt ran under a snapshot that was replaced meanwhile. */
  readonly outdated: boolean
  readonly fault: Fault
  /** From 0 to 1. */
  readonly fraction: number
}

const FIRST_MS = 400
const MOST_MS = 15_000
/** A task that nodes return again and again ends too. */
const MOST_RETURNS = 100
/** A source whose snapshots never last must not keep a run going for ever. */
const MOST_SNAPSHOTS = 16

/** Only faults that can pass are tried again, as often as the copy says. What a stopping node hands back or a busy store refuses does not count. */
export function afterFailure(end: AttemptEnd): Verdict {
  const { fault, failures, returns, retries, kind } = end
  if (fault.code === 'SNAPSHOT_LOST' && (kind === 'part' || kind === 'finish')) {
    if (end.outdated) return { is: 'again', delayMs: 0, counts: false }
    return end.snapshots < MOST_SNAPSHOTS ? { is: 'hold' } : { is: 'fail' }
  }
  // The other attempt's rows are there: the next attempt finds its commit record.
  const passes = fault.canPass || fault.code === 'COMMIT_LOST'
  const counts = fault.kind !== 'stopped' && fault.code !== 'STORE_BUSY'
  if (!passes || returns >= MOST_RETURNS || (counts && failures >= retries)) return { is: 'fail' }
  return { is: 'again', delayMs: delay(counts ? failures : returns, end.fraction), counts }
}

/** Doubling, with jitter in the upper half. */
function delay(before: number, fraction: number): number {
  const full = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(before, 10))
  return Math.round(full / 2 + (full / 2) * fraction)
}
