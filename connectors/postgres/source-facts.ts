/** What a source reads, as SQL: pure. */
import { Fault } from '@postern/protocol/fault.ts'
import type { Column, Encoding, Part, Shape } from '../copy-contract.ts'
import { quoteName } from '../digest.ts'
import { conditionsOf, literal, type Range } from './ranges.ts'

/** Of an incremental copy: from < column <= to. Without `to` there is no such row. */
export interface Above {
  readonly column: string
  readonly type: string
  readonly from: string | null
  readonly to: string | null
}

/** `Shape.own`: what is read. */
export type SourceFacts = (
  | { readonly is: 'query'; readonly sql: string }
  | {
      readonly is: 'table'
      readonly sql: string
      readonly oid: string
      /** r table, p partitioned, v view, m materialized view, f foreign. */
      readonly kind: string
      /** Plain COPY of the table gives all of its rows. */
      readonly plain: boolean
      /** It has pages of its own, so that it can be cut by them. */
      readonly pages: boolean
    }
) & { readonly above?: Above }

export function factsOf(shape: Shape): SourceFacts {
  return shape.own as SourceFacts
}

/** What follows FROM, for all rows or those of a part. */
export function fromOf(facts: SourceFacts, part: Part | null = null): string {
  const range = (part?.own ?? { by: 'all' }) as Range
  const conditions = [...conditionsOf(range), ...aboveConditions(facts.above)]
  const where = conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`
  const leaf = range.by === 'page' ? range.leaf : undefined
  return `${leaf?.sql ?? (facts.is === 'table' ? facts.sql : `(${facts.sql}\n) as t`)}${where}`
}

function aboveConditions(above: Above | undefined): readonly string[] {
  if (!above) return []
  const { column, type, from, to } = above
  if (to === null) return ['false']
  const name = quoteName(column)
  return [...(from === null ? [] : [`${name} > ${literal(from, type)}`]), `${name} <= ${literal(to, type)}`]
}

const FORMATS: Readonly<Partial<Record<Encoding, string>>> = { 'pg-binary': 'binary', 'pg-text': 'text', csv: 'csv' }

export function copyOutSql(shape: Shape, part: Part, encoding: Encoding): string {
  const facts = factsOf(shape)
  const format = FORMATS[encoding]
  if (!format) throw new Fault('COPY_UNSUPPORTED', { at: `PostgreSQL gives no rows as ${encoding}` })
  const columns = shape.columns.map((column) => quoteName(column.name)).join(', ')
  const whole = facts.is === 'table' && facts.plain && !facts.above && (part.own as Range).by === 'all'
  const rows = whole ? `${facts.sql} (${columns})` : `(select ${columns} from ${fromOf(facts, part)})`
  return `copy ${rows} to stdout (format ${format})`
}

export function columnOf(shape: Shape, name: string, what: string): Column {
  const column = shape.columns.find((each) => each.name === name)
  if (column) return column
  const has = shape.columns.map((each) => each.name).join(', ')
  throw new Fault('COLUMN_MISMATCH', { at: `${what}: ${shape.title} has no column ${name}; it has ${has}` })
}
