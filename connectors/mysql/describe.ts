import { Fault } from '@postern/protocol/fault.ts'
import type { Column, Shape } from '../copy-contract.ts'
import { LEAST_CONNECTIONS } from './moments.ts'
import { quoteName, textLiteral } from './names.ts'
import type { Field } from './packets.ts'
import { startsAsRead, writesFile } from './read-only.ts'
import type { Relation } from './relation.ts'
import { ServerError } from './server-error.ts'
import { StatementRun } from './statement-run.ts'
import { logicalType, type TypeOptions } from './types.ts'
import type { Wire } from './wire.ts'

export const KIND = 'mysql'

/** Settings of the store that a copy may change for itself. */
export interface ReadOptions extends TypeOptions {
  readonly zeroDates: 'refuse' | 'null'
  readonly consistent?: boolean | undefined
}

/** `Shape.own`: what is read, for SQL. */
export interface SourceFacts {
  /** What follows FROM. */
  readonly from: string
  /** Null: of a statement. */
  readonly table: { readonly database: string; readonly table: string } | null
  /** Conditions on the rows that stand besides the part's. */
  readonly where: string | null
  readonly zeroDates: 'refuse' | 'null'
}

export function describeTable(relation: Relation, options: ReadOptions): Shape {
  const own: SourceFacts = {
    from: relation.sql,
    table: { database: relation.database, table: relation.table },
    where: null,
    zeroDates: options.zeroDates,
  }
  return {
    title: relation.title,
    columns: relation.columns.map(({ name, type, native, nullable }) => ({ name, type, native, nullable })),
    key: relation.key,
    estimatedRows: relation.rows,
    estimatedBytes: relation.bytes,
    kind: KIND,
    encodings: ['pg-text', 'csv'],
    own,
  }
}

/**
 * Asked to be read at one moment, by however many: refused where that cannot be had. Only InnoDB shows a moment, and in a Galera
 * cluster a lock of one server does not keep out what others commit.
 */
export async function atOneMoment(
  wire: Wire,
  relation: Relation,
  shape: Shape,
  { maxConnections }: { readonly maxConnections: number },
): Promise<Shape> {
  const refuse = (why: string) =>
    new Fault('COPY_UNSUPPORTED', { at: `consistent: ${why}`, remedy: 'Copy without consistent, in one part.' })
  if (!relation.isTable) throw refuse(`${shape.title} is a view; only a table can be locked by itself.`)
  if (relation.engine.toLowerCase() !== 'innodb') throw refuse(`${shape.title} is a table of ${relation.engine}, which shows no moment.`)
  const [cluster] = (await StatementRun.one(wire, `show variables like 'wsrep_on'`)).rows
  if (cluster?.[1] === 'ON') throw refuse('this server is one of a Galera cluster, whose others write what it has locked.')
  if (maxConnections < LEAST_CONNECTIONS) throw refuse(`the store must be allowed ${LEAST_CONNECTIONS} connections (maxConnections).`)
  return { ...shape, oneMoment: 'on-one-node' }
}

export async function describeQuery(wire: Wire, text: string, options: ReadOptions): Promise<Shape> {
  if (options.consistent) {
    const at = 'consistent: which tables a statement reads is not known, so they cannot be locked.'
    throw new Fault('COPY_UNSUPPORTED', { at, remedy: 'Name a table; or copy without consistent, in one part.' })
  }
  const sql = innerQuery(text)
  // Alone it must be one valid statement: a text that is valid only because it closes the bracket early is refused here.
  await StatementRun.one(wire, `set @postern_sql = ${textLiteral(sql)}`)
  await StatementRun.one(wire, 'prepare postern_query from @postern_sql')
  const from = `(${sql}\n) as t`
  const fields = await fieldsOf(wire, from)
  const own: SourceFacts = { from, table: null, where: null, zeroDates: options.zeroDates }
  const title = sql.length > 120 ? `(${sql.slice(0, 117)}...)` : `(${sql})`
  return {
    title,
    columns: fields.map((field) => columnOf(field, options)),
    key: [],
    estimatedRows: null,
    estimatedBytes: null,
    kind: KIND,
    encodings: ['pg-text', 'csv'],
    own,
  }
}

function innerQuery(text: string): string {
  if (!text.endsWith(')')) throw new Fault('INPUT_INVALID', { at: 'A statement in brackets must end with its bracket.' })
  const sql = text.slice(1, -1).replace(/[\s;]+$/, '')
  if (!startsAsRead(sql) || writesFile(sql)) throw new Fault('INPUT_INVALID', { at: 'In brackets stands (select ...) or (with ...).' })
  return sql
}

async function fieldsOf(wire: Wire, from: string): Promise<readonly Field[]> {
  try {
    return (await StatementRun.one(wire, `select * from ${from} limit 0`)).fields ?? []
  } catch (cause) {
    if (!(cause instanceof ServerError) || cause.number !== 1060) throw cause
    throw new Fault('COLUMN_MISMATCH', { at: `(select ...): ${cause.message}; give each a name with AS`, cause })
  }
}

const UNSIGNED = 0x20
const ZEROFILL = 0x40
const NOT_NULL = 0x01
const BINARY = 63
const WHOLE: ReadonlyMap<number, string> = new Map([
  [0x01, 'tinyint'],
  [0x02, 'smallint'],
  [0x03, 'int'],
  [0x08, 'bigint'],
  [0x09, 'mediumint'],
])
const OTHERS: ReadonlyMap<number, string> = new Map([
  [0x04, 'float'],
  [0x05, 'double'],
  [0x0a, 'date'],
  [0x0b, 'time'],
  [0x0d, 'year'],
  [0x0e, 'date'],
  [0xf5, 'json'],
  [0xff, 'geometry'],
])

function columnOf(field: Field, options: TypeOptions): Column {
  const native = nativeOf(field)
  return { name: field.name, type: logicalType(native, options), native, nullable: (field.flags & NOT_NULL) === 0 }
}

/** As a column of a table would be declared. */
function nativeOf({ type, flags, charset, length, decimals, format }: Field): string {
  const unsigned = (flags & UNSIGNED) !== 0
  const signs = `${unsigned ? ' unsigned' : ''}${(flags & ZEROFILL) !== 0 ? ' zerofill' : ''}`
  const whole = WHOLE.get(type)
  if (whole) return `${whole}${type === 0x01 && length === 1 ? '(1)' : ''}${signs}`
  if (type === 0x00 || type === 0xf6) {
    const precision = length - (unsigned ? 0 : 1) - (decimals > 0 ? 1 : 0)
    return `decimal(${Math.min(65, Math.max(precision, decimals, 1))},${decimals})${signs}`
  }
  if (type === 0x10) return `bit(${length})`
  if (type === 0x07 || type === 0x0c)
    return `${type === 0x07 ? 'timestamp' : 'datetime'}${decimals > 0 && decimals <= 6 ? `(${decimals})` : ''}`
  if (type === 0x0b && decimals > 0 && decimals <= 6) return `time(${decimals})`
  const other = OTHERS.get(type)
  if (other) return other
  if (format === 'json' || format === 'uuid') return format
  return charset === BINARY ? 'longblob' : 'longtext'
}

/** What comes after FROM, with the conditions. */
export function fromOf(facts: SourceFacts, where: string): string {
  const conditions = [facts.where ?? '', where].filter((condition) => condition !== '')
  return conditions.length === 0 ? facts.from : `${facts.from} where ${conditions.map((condition) => `(${condition})`).join(' and ')}`
}

export function columnList(columns: readonly Column[]): string {
  return columns.map((column) => quoteName(column.name)).join(', ')
}
