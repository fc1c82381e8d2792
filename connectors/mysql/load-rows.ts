/** The rows of one part into the table, in the caller's transaction: all of them, or all but those that the table does not take. */
import { Readable } from 'node:stream'
import { Fault } from '@postern/protocol/fault.ts'
import type { PartWrite, Skip } from '../copy-contract.ts'
import { type RowFault, writeLeavingOut } from '../rows/leave-out.ts'
import { type RowBatch, rowBatches, rowBytes, rowForm } from '../rows/row-batches.ts'
import { LoadIn } from './load-in.ts'
import { loadText } from './load-text.ts'
import { isRowError, oneLine, ServerError, withoutValue } from './server-error.ts'
import { StatementRun } from './statement-run.ts'
import type { Wire } from './wire.ts'

export interface Loaded {
  readonly rows: number
  readonly bytes: number
}

/** So much is written again for each row that is left out; small enough for that, large enough to keep the pace. */
const BATCH = { bytes: 1 << 19, rows: 10_000 }

/** LOAD DATA LOCAL leaves out or changes what does not fit, and only warns: any warning is taken for what it is. */
export class RowWarning extends Error {
  override readonly name = 'RowWarning'
  readonly number: number

  constructor(number: number, message: string) {
    super(message)
    this.number = number
  }

  /** "… for column `db`.`t`.`c` at row 7" */
  get place(): { readonly row: number | null; readonly column: string | null } {
    const row = / at row (\d+)$/.exec(this.message)?.[1]
    const column = / for column (?:`.*`\.`.*`\.`(.*)`|'([^']*)')(?: at row \d+)?$/s.exec(this.message)
    return { row: row === undefined ? null : Number(row), column: column?.[1] ?? column?.[2] ?? null }
  }

  fault(title: string): Fault {
    const at = `${title}: ${oneLine(withoutValue(this.message))} [error ${this.number}]`
    const { row, column } = this.place
    const details = { errno: this.number, ...(row !== null && { line: row }), ...(column !== null && { column }) }
    return new Fault('ROW_INVALID', { at, details })
  }
}

export function loadRows(wire: Wire, sql: string, request: Pick<PartWrite, 'target' | 'bytes' | 'skip'>): Promise<Loaded> {
  const { target, bytes, skip } = request
  if (skip) return loadLeavingOut(wire, sql, { encoding: target.encoding, bytes, skip })
  return loadAll(wire, sql, target.encoding, bytes)
}

async function loadAll(wire: Wire, sql: string, encoding: PartWrite['target']['encoding'], source: Readable): Promise<Loaded> {
  const { rows, bytes, warnings } = await LoadIn.run(wire, sql, { source, text: loadText(encoding) })
  if (warnings === 0) return { rows, bytes }
  const [row] = (await StatementRun.one(wire, 'show warnings limit 1')).rows
  throw new RowWarning(Number(row?.[1] ?? 0), row?.[2] ?? 'a value does not fit')
}

interface LeavingOut {
  readonly encoding: PartWrite['target']['encoding']
  readonly bytes: Readable
  readonly skip: Skip
}

/** Batch by batch, each under a savepoint; what fails is halved until the row stands alone. */
async function loadLeavingOut(wire: Wire, sql: string, { encoding, bytes, skip }: LeavingOut): Promise<Loaded> {
  const form = rowForm(encoding)
  let [rows, size] = [0, 0]
  const write = (batch: RowBatch) => underSavepoint(wire, () => loadAll(wire, sql, encoding, Readable.from([batch.bytes])))
  const left = async (row: RowBatch, fault: RowFault) => {
    await skip.left({ row: row.first, column: fault.column, code: fault.code, error: fault.error, bytes: rowBytes(row) })
  }
  for await (const batch of rowBatches(bytes, form, BATCH)) {
    rows += await writeLeavingOut(batch, { form, write, blame: blamed, left })
    size += batch.bytes.length
  }
  return { rows, bytes: size }
}

async function underSavepoint(wire: Wire, write: () => Promise<unknown>): Promise<void> {
  await StatementRun.one(wire, 'savepoint postern_batch')
  try {
    await write()
  } catch (cause) {
    if (blamed(cause)) await StatementRun.one(wire, 'rollback to savepoint postern_batch')
    throw cause
  }
}

function blamed(cause: unknown): RowFault | undefined {
  if (cause instanceof RowWarning) return { ...cause.place, code: String(cause.number), error: cause.message }
  if (cause instanceof ServerError && isRowError(cause))
    return { row: null, column: null, code: String(cause.number), error: cause.message }
  return undefined
}
