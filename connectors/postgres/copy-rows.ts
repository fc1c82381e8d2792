/** The rows of one part into the table, in the caller's transaction: all of them, or all but those that the table does not take. */
import { Readable } from 'node:stream'
import type { PartWrite, Skip, Slot, Target } from '../copy-contract.ts'
import { quoteName } from '../digest.ts'
import { type RowFault, writeLeavingOut } from '../rows/leave-out.ts'
import { type RowBatch, rowBatches, rowBytes, rowForm } from '../rows/row-batches.ts'
import { CopyIn } from './copy-in.ts'
import { arrayOf } from './part-digests.ts'
import { mergeFrom } from './publish.ts'
import { type PublishedRun, takeOutPublished } from './published.ts'
import { forgetParts, markBatch, writersOf } from './record.ts'
import { placeOfRow, ServerError } from './server-error.ts'
import { StatementRun } from './statement-run.ts'
import type { Wire } from './wire.ts'

export interface Copied {
  readonly rows: number
  readonly bytes: number
}

export interface CopyRows {
  /** Quoted. */
  readonly table: string
  /** Quoted, with commas. */
  readonly columns: string
  readonly format: string
}

/** So much is written again for each row that is left out; small enough for that, large enough to keep the pace. */
const BATCH = { bytes: 1 << 19, rows: 10_000 }

/** `published`: the run that the part is repaired of, where its rows are no more where they were written. */
export async function copyRows(wire: Wire, into: CopyRows, request: PartWrite, published?: PublishedRun): Promise<Copied> {
  const { slot, bytes, target, skip, replaces = [] } = request
  const copy = (where: CopyRows) =>
    skip ? copyLeavingOut(wire, where, { slot, skip, form: rowForm(target.encoding), bytes }) : copyAll(wire, where, bytes)
  if (replaces.length === 0) return await copy(into)
  if (published?.facts.mode === 'upsert') {
    const copied = await copyAside(wire, into, copy)
    await mergeFrom(wire, published, AGAIN)
    await forgetParts(wire, slot.run, replaces)
    return copied
  }
  await takeOut(wire, into.table, slot.run, replaces)
  if (published) await takeOutPublished(wire, published, request.extent)
  const unique = await uniqueKey(wire, into.table, target)
  const key = unique.length > 0 ? unique : keyOfSource(target, published)
  return key.length > 0 ? await copyOver(wire, into, key, copy) : await copy(into)
}

function copyAll(wire: Wire, { table, columns, format }: CopyRows, bytes: Readable) {
  return CopyIn.run(wire, `copy ${table} (${columns}) from stdin (format ${format})`, bytes)
}

/** What the replaced parts have written and nobody has changed since. */
async function takeOut(wire: Wire, table: string, run: string, tasks: readonly string[]): Promise<void> {
  const writers = await writersOf(wire, run)
  const xids = tasks.flatMap((task) => writers.get(task) ?? [])
  if (xids.length > 0) await StatementRun.one(wire, `delete from ${table} where xmin = any($1::xid[])`, [arrayOf(xids)])
  await forgetParts(wire, run, tasks)
}

const AGAIN = 'pg_temp._postern_again'

/** In a table that was overwritten no row has the key of another. */
function keyOfSource({ columns }: Target, published: PublishedRun | undefined): readonly string[] {
  const key = published?.facts.sourceKey ?? []
  return key.every((name) => columns.some((column) => column.name === name)) ? key : []
}

type Copy = (where: CopyRows) => Promise<Copied>

/** Into a table like it, so that rows which it would not take are found. */
async function copyAside(wire: Wire, { table, columns, format }: CopyRows, copy: Copy): Promise<Copied> {
  await StatementRun.one(wire, `create temp table _postern_again (like ${table} including all) on commit drop`)
  return await copy({ table: AGAIN, columns, format })
}

/** Rows that somebody has changed since are no more known by their writer, but by their key: they go too. */
async function copyOver(wire: Wire, into: CopyRows, key: readonly string[], copy: Copy): Promise<Copied> {
  const { table, columns } = into
  const copied = await copyAside(wire, into, copy)
  const same = key.map((name) => `t.${quoteName(name)} = a.${quoteName(name)}`).join(' and ')
  await StatementRun.all(wire, [
    { sql: `delete from ${table} as t using ${AGAIN} as a where ${same}` },
    { sql: `insert into ${table} (${columns}) overriding system value select ${columns} from ${AGAIN}` },
  ])
  return copied
}

const UNIQUE_KEYS = `
  select (select json_agg(a.attname order by k.place)
            from unnest(i.indkey::int2[]) with ordinality k(attnum, place)
            join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
           where k.place <= i.indnkeyatts)
    from pg_index i
   where i.indrelid = $1::regclass and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
   order by i.indisprimary desc, i.indnkeyatts`

/** Columns of a unique index of the table, among those that are copied; empty where there is none. */
async function uniqueKey(wire: Wire, table: string, { columns }: Target): Promise<readonly string[]> {
  const copied = new Set(columns.map(({ name }) => name))
  const keys = (await StatementRun.one(wire, UNIQUE_KEYS, [table])).rows.map(([json]) => JSON.parse(json ?? '[]') as string[])
  return keys.find((key) => key.every((name) => copied.has(name))) ?? []
}

interface LeavingOut {
  readonly slot: Slot
  readonly skip: Skip
  readonly form: 'lines' | 'quoted'
  readonly bytes: Readable
}

/** Batch by batch, each under a savepoint; what fails is halved until the row stands alone. */
async function copyLeavingOut(wire: Wire, into: CopyRows, { slot, skip, form, bytes }: LeavingOut): Promise<Copied> {
  let [rows, size] = [0, 0]
  // A constraint that waits for the commit would fail it as a whole.
  await StatementRun.one(wire, 'set constraints all immediate')
  const write = (batch: RowBatch) => underSavepoint(wire, slot, () => copyAll(wire, into, Readable.from([batch.bytes])))
  const left = async (row: RowBatch, fault: RowFault) => {
    await skip.left({ row: row.first, column: fault.column, code: fault.code, error: fault.error, bytes: rowBytes(row) })
  }
  for await (const batch of rowBatches(bytes, form, BATCH)) {
    rows += await writeLeavingOut(batch, { form, write, blame: blamed, left })
    size += batch.bytes.length
  }
  return { rows, bytes: size }
}

async function underSavepoint(wire: Wire, slot: Slot, write: () => Promise<unknown>): Promise<void> {
  await StatementRun.one(wire, 'savepoint postern_batch')
  try {
    await write()
    await StatementRun.all(wire, [markBatch(slot), { sql: 'release savepoint postern_batch' }])
  } catch (cause) {
    if (cause instanceof ServerError) {
      await StatementRun.all(wire, [{ sql: 'rollback to savepoint postern_batch' }, { sql: 'release savepoint postern_batch' }])
    }
    throw cause
  }
}

/** Data that do not fit, constraints, rows that are too long, and what a trigger of the table raises. */
function blamed(cause: unknown): RowFault | undefined {
  if (!(cause instanceof ServerError) || cause.severity !== 'ERROR') return undefined
  if (!/^(?:22|23)...$|^54000$|^P0001$/.test(cause.code)) return undefined
  const { line, column } = placeOfRow(cause)
  return { row: line, column, code: cause.code, error: cause.message }
}
