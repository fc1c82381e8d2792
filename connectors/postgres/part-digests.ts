/** What each part of a run has in the target: told apart by the transactions that wrote the rows (record.ts). */
import type { Column, Digest } from '../copy-contract.ts'
import { rowNumber } from '../digest.ts'
import { writersOf } from './record.ts'
import { StatementRun } from './statement-run.ts'
import type { Wire } from './wire.ts'

export interface PartDigests {
  readonly table: string
  readonly run: string
  readonly columns: readonly Column[]
  readonly checksum: boolean
}

/** One scan of the table for all of them. Parts that the run has no record of are missing in the answer. */
export async function partDigests(wire: Wire, { table, run, columns, checksum }: PartDigests): Promise<ReadonlyMap<string, Digest>> {
  const writers = await writersOf(wire, run)
  const all = [...writers.values()].flat()
  if (all.length === 0) return new Map()
  const sum = checksum ? `coalesce(sum(${rowNumber(columns, 'postgres')}), 0)::text` : 'null::text'
  const sql = `select xmin::text, count(*)::text, ${sum} from ${table} where xmin = any($1::xid[]) group by xmin`
  const found = new Map(
    (await StatementRun.one(wire, sql, [arrayOf(all)])).rows.map(([xmin, rows, total]) => [
      xmin,
      { rows: Number(rows), checksum: total ?? null },
    ]),
  )
  return new Map(
    [...writers].map(([task, of]) => [
      task,
      added(
        of.flatMap((xmin) => found.get(xmin) ?? []),
        checksum,
      ),
    ]),
  )
}

export function added(digests: readonly Digest[], checksum: boolean): Digest {
  const rows = digests.reduce((sum, digest) => sum + digest.rows, 0)
  return { rows, checksum: checksum ? String(digests.reduce((sum, digest) => sum + BigInt(digest.checksum ?? '0'), 0n)) : null }
}

/** As a parameter: transaction numbers are digits only. */
export function arrayOf(xids: readonly string[]): string {
  return `{${xids.join(',')}}`
}
