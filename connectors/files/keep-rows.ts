/**
 * A stream of rows without those that DuckDB could not take: each batch is tried before it goes on, and what fails is halved until the row
 * stands alone. It costs a second reading of all rows, so it is done only where rows may be left out.
 */
import { Readable } from 'node:stream'
import { Fault } from '@postern/protocol/fault.ts'
import type { Column, LeftOut, LogicalType } from '../copy-contract.ts'
import { type RowFault, writeLeavingOut } from '../rows/leave-out.ts'
import { type RowBatch, type RowForm, rowBatches, rowBytes } from '../rows/row-batches.ts'
import { brokenRow } from './faults.ts'
import { feed } from './pipe.ts'
import { CsvToPlain, csvOfPlain } from './plain.ts'
import type { FilesParts } from './session.ts'
import { duckType } from './types.ts'

export interface KeepRows {
  /** `quoted`: the `csv` encoding; `lines`: the plain dialect. Tried is the plain dialect. */
  readonly form: RowForm
  readonly columns: readonly Column[]
  /** SQL: the number of the first row that cannot be taken and of its column (from 0), NULLs where all can; or it fails. */
  readonly tried: (path: string) => string
  /** What is wrong with a value that is found so; its type when nothing is said. */
  readonly why?: (type: LogicalType) => string | undefined
  readonly left: LeftOut
}

/** So much is tried again for each row that is left out; small enough for that, large enough to keep the pace. */
const BATCH = { bytes: 1 << 20, rows: 20_000 }

/** A value that `tried` has found. */
class Misfit extends Error {
  override readonly name = 'Misfit'
  readonly fault: RowFault

  constructor(row: number, column: string, why: string) {
    super(`row ${row}`)
    this.fault = { row, column, code: 'ROW_INVALID', error: `${why}.` }
  }
}

/** Who destroys it lets go of `bytes` too. */
export function keepRows(bytes: Readable, keep: KeepRows, session: Pick<FilesParts, 'duck' | 'scratch'>, signal: AbortSignal): Readable {
  const out = Readable.from(keptOf(bytes, keep, session, signal), { objectMode: false, highWaterMark: BATCH.bytes })
  out.once('close', () => bytes.destroy())
  return out
}

async function* keptOf(
  bytes: Readable,
  keep: KeepRows,
  session: Pick<FilesParts, 'duck' | 'scratch'>,
  signal: AbortSignal,
): AsyncIterable<Buffer> {
  const { form, left } = keep
  let kept: Buffer[] = []
  const write = async (batch: RowBatch) => {
    await tryBatch(batch, keep, session, signal)
    kept.push(batch.bytes)
  }
  const leave = (row: RowBatch, { column, code, error }: RowFault) => {
    const shown = form === 'quoted' ? rowBytes(row) : csvOfPlain(rowBytes(row))
    return left({ row: row.first, column, code, error, bytes: shown })
  }
  for await (const batch of rowBatches(bytes, form, BATCH)) {
    await writeLeavingOut(batch, { form, write, blame: (cause) => blamed(cause, keep), left: leave })
    yield* kept
    kept = []
  }
}

async function tryBatch(
  { bytes }: RowBatch,
  { form, columns, tried, why }: KeepRows,
  { duck, scratch }: Pick<FilesParts, 'duck' | 'scratch'>,
  signal: AbortSignal,
): Promise<void> {
  const rows = Readable.from([bytes], { objectMode: false })
  // A file: many small batches are no work for a pipe each.
  const { rows: found } = await feed(
    form === 'quoted' ? [rows, new CsvToPlain()] : [rows],
    { scratch, pipes: false },
    (path, inner) => duck.run(tried(path), { at: '', columns }, inner),
    signal,
  )
  const [row, column] = found[0] ?? []
  const of = row === null || row === undefined ? undefined : columns[Number(column)]
  if (of) throw new Misfit(Number(row), of.name, why?.(of.type) ?? `the value is not of type ${duckType(of.type)}`)
}

function blamed(cause: unknown, { columns }: KeepRows): RowFault | undefined {
  if (cause instanceof Misfit) return cause.fault
  if (!(cause instanceof Fault) || cause.code !== 'ROW_INVALID') return undefined
  const broken = cause.cause instanceof Error ? brokenRow(cause.cause.message, columns) : undefined
  if (broken) return { row: broken.line, column: broken.column, code: cause.code, error: broken.wrong }
  return { row: null, column: null, code: cause.code, error: cause.message }
}
