/** Incremental copies: the rows above what the last one has taken. */
import { Fault } from '@postern/protocol/fault.ts'
import type { LogicalType, Shape } from '../copy-contract.ts'
import { fromOf, type SourceFacts } from './describe.ts'
import { quoteName, textLiteral } from './names.ts'
import { estimate } from './split.ts'
import { StatementRun } from './statement-run.ts'
import type { Wire } from './wire.ts'

const ORDERED: ReadonlySet<LogicalType['is']> = new Set(['int16', 'int32', 'int64', 'date', 'timestamp', 'timestamptz'])

export async function narrowAbove(
  wire: Wire,
  shape: Shape,
  name: string,
  from: string | null,
): Promise<{ readonly shape: Shape; readonly to: string | null }> {
  const column = shape.columns.find((each) => each.name === name)
  if (!column) throw new Fault('INPUT_INVALID', { at: `watermark: ${shape.title} has no column ${name}` })
  if (!ORDERED.has(column.type.is)) {
    throw new Fault('INPUT_INVALID', {
      at: `watermark: ${name} is ${column.native}; a watermark is a whole number, a date or a timestamp`,
      remedy: 'Name a column that only grows: a number from a sequence, or the time of the last change.',
    })
  }
  const facts = shape.own as SourceFacts
  const quoted = quoteName(name)
  if (column.nullable) await refuseNulls(wire, shape, facts, quoted)
  const above = from === null ? '' : `${quoted} > ${bound(from, column.type.is)}`
  const [row] = (await StatementRun.one(wire, `select cast(max(${quoted}) as char) from ${fromOf(facts, above)}`)).rows
  const to = row?.[0] ?? null
  const upTo = to === null ? 'false' : `${quoted} <= ${bound(to, column.type.is)}`
  const where = [above, upTo].filter((each) => each !== '').join(' and ')
  const own: SourceFacts = { ...facts, where: facts.where === null ? where : `(${facts.where}) and ${where}` }
  const rows = to === null ? 0 : from === null ? shape.estimatedRows : await estimate(wire, own, { by: 'all' })
  return { to, shape: { ...shape, own, estimatedRows: rows, estimatedBytes: bytesOf(shape, rows) } }
}

function bound(text: string, type: LogicalType['is']): string {
  if (type.startsWith('int')) return String(BigInt(text))
  return `cast(${textLiteral(text)} as ${type === 'date' ? 'date' : 'datetime(6)'})`
}

/** Rows that no bound ever reaches would be left out for good, without a word. */
async function refuseNulls(wire: Wire, shape: Shape, facts: SourceFacts, quoted: string): Promise<void> {
  const [row] = (await StatementRun.one(wire, `select 1 from ${fromOf(facts, `${quoted} is null`)} limit 1`)).rows
  if (!row) return
  throw new Fault('INPUT_INVALID', {
    at: `watermark: ${shape.title} has rows without a value in ${quoted}; they would never be copied`,
    remedy: 'Give them a value, or leave them out with --from "(select ... where ...)".',
  })
}

function bytesOf(shape: Shape, rows: number | null): number | null {
  if (rows === null || shape.estimatedRows === null || shape.estimatedBytes === null || shape.estimatedRows === 0) return null
  return Math.round((shape.estimatedBytes * rows) / shape.estimatedRows)
}
