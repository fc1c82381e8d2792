/** Writes a batch without the rows that a store does not take: halves what fails until the row stands alone. */
import { type RowBatch, type RowForm, splitBatch } from './row-batches.ts'

/** Why a store did not take a batch, when a row of it is to blame. */
export interface RowFault {
  /** Which row of the batch, from 1, where the store says it: saves most of the halving. */
  readonly row: number | null
  readonly column: string | null
  readonly code: string
  readonly error: string
}

export interface LeaveOutParts {
  readonly form: RowForm
  /** All of the batch or nothing of it: under a savepoint, or the like. */
  readonly write: (batch: RowBatch) => Promise<void>
  /** Undefined: no row's fault, the whole write fails with it. */
  readonly blame: (cause: unknown) => RowFault | undefined
  /** The batch is the one row. */
  readonly left: (row: RowBatch, fault: RowFault) => Promise<void>
}

/** Resolves with how many rows were written. */
export async function writeLeavingOut(batch: RowBatch, parts: LeaveOutParts): Promise<number> {
  const todo: RowBatch[] = [batch]
  let written = 0
  for (let next = todo.pop(); next; next = todo.pop()) {
    try {
      await parts.write(next)
      written += next.rows
    } catch (cause) {
      const fault = parts.blame(cause)
      if (!fault) throw cause
      if (next.rows === 1) await parts.left(next, fault)
      else todo.push(...smaller(next, fault.row, parts.form))
    }
  }
  return written
}

/** The last one is tried first, so that rows keep their order. */
function smaller(batch: RowBatch, row: number | null, form: RowForm): RowBatch[] {
  if (row === null || row < 1 || row > batch.rows) return [...splitBatch(batch, form, Math.floor(batch.rows / 2))].reverse()
  const [before, rest] = splitBatch(batch, form, row - 1)
  // The row itself is tried alone: it may only have clashed with one before it that is to blame.
  const [bad, after] = splitBatch(rest, form, 1)
  return [after, bad, before].filter(({ rows }) => rows > 0)
}
