/** Incremental copies: the rows above what the last one has taken. */
import { Fault } from '@postern/protocol/fault.ts'
import type { LogicalType, Shape } from '../copy-contract.ts'
import { quoteName } from '../digest.ts'
import { literal } from './ranges.ts'
import { columnOf, factsOf, fromOf } from './source-facts.ts'
import { StatementRun } from './statement-run.ts'
import type { Wire } from './wire.ts'

const TYPES: Readonly<Partial<Record<LogicalType['is'], string>>> = {
  int16: 'bigint',
  int32: 'bigint',
  int64: 'bigint',
  date: 'date',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
}
const ENDLESS: ReadonlySet<string> = new Set(['date', 'timestamp', 'timestamptz'])

export async function narrowAbove(
  wire: Wire,
  shape: Shape,
  name: string,
  from: string | null,
): Promise<{ readonly shape: Shape; readonly to: string | null }> {
  const column = columnOf(shape, name, 'watermark')
  const type = TYPES[column.type.is]
  if (!type) {
    throw new Fault('INPUT_INVALID', {
      at: `watermark: ${name} is ${column.native}; a watermark is a whole number, a date or a timestamp`,
      remedy: 'Name a column that only grows: a number from a sequence, or the time of the last change.',
    })
  }
  const facts = factsOf(shape)
  const quoted = quoteName(name)
  await refuseEndless(wire, shape, quoted, column.nullable, ENDLESS.has(type))
  const above = from === null ? '' : ` where ${quoted} > ${literal(from, type)}`
  const sql = `select (select ${quoted}::text as bound from ${fromOf(facts)}${above}${above === '' ? ' where' : ' and'} ${quoted} is not null order by ${quoted} desc limit 1)`
  const [row] = (await StatementRun.one(wire, sql)).rows
  const to = row?.[0] ?? null
  const own = { ...facts, above: { column: name, type, from, to } }
  const narrowed = { ...shape, own }
  const rows = to === null ? 0 : from === null ? shape.estimatedRows : await plannedRows(wire, narrowed)
  return { to, shape: { ...narrowed, estimatedRows: rows, estimatedBytes: bytesOf(shape, rows) } }
}

/** Rows that no bound ever reaches would be left out for good, without a word. */
async function refuseEndless(wire: Wire, shape: Shape, quoted: string, nullable: boolean, endless: boolean): Promise<void> {
  const never = [...(nullable ? [`${quoted} is null`] : []), ...(endless ? [`not isfinite(${quoted})`] : [])]
  if (never.length === 0) return
  const sql = `select ${never.map((condition) => `exists (select from ${fromOf(factsOf(shape))} where ${condition})`).join(', ')}`
  const [row] = (await StatementRun.one(wire, sql)).rows
  if (!row?.includes('t')) return
  throw new Fault('INPUT_INVALID', {
    at: `watermark: ${shape.title} has rows ${row[0] === 't' && nullable ? 'without a value' : 'with an infinite value'} in ${quoted}; they would never be copied`,
    remedy: 'Give them a value, or leave them out with --from "(select ... where ...)".',
  })
}

/** What the server's planner expects: to cut the rows into parts it is good enough. */
async function plannedRows(wire: Wire, shape: Shape): Promise<number | null> {
  const [row] = (await StatementRun.one(wire, `explain (format json) select from ${fromOf(factsOf(shape))}`)).rows
  const plan = JSON.parse(row?.[0] ?? '[]') as { readonly Plan?: { readonly 'Plan Rows'?: number } }[]
  return plan[0]?.Plan?.['Plan Rows'] ?? null
}

function bytesOf(shape: Shape, rows: number | null): number | null {
  if (rows === null || shape.estimatedRows === null || shape.estimatedBytes === null || shape.estimatedRows === 0) return null
  return Math.round((shape.estimatedBytes * rows) / shape.estimatedRows)
}
