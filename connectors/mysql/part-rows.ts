/**
 * Which rows of a target are of which part. InnoDB shows nobody which transaction wrote a row, so the values tell: a part that is a range
 * of a column has the rows of that range, where the copy alone has written. That is so in a staging table, and in a table that was empty.
 */
import { Fault } from '@postern/protocol/fault.ts'
import type { Column, Digest, Extent, Target } from '../copy-contract.ts'
import { rowNumber } from '../digest.ts'
import { factsOf, type TargetFacts } from './facts.ts'
import { quoteName, quoteTable, textLiteral } from './names.ts'
import { isReferenced } from './published.ts'
import type { Records } from './record.ts'
import type { Relation } from './relation.ts'
import { refuseLong } from './row-length.ts'
import { StatementRun } from './statement-run.ts'
import type { Wire } from './wire.ts'

export interface PartRows {
  readonly extent?: Extent
}

const WHOLE: ReadonlySet<string> = new Set(['int16', 'int32', 'int64', 'decimal'])
const NUMBER = /^-?\d{1,65}$/
const DATE = /^\d{4}-\d\d-\d\d$/
/** In UTC, as moments are kept here. */
const MOMENT = /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?)(?:\+00)?$/
const MOMENTS: ReadonlySet<string> = new Set(['timestamp', 'timestamptz'])

/** Where parts are written. */
export function tableOf({ database, table, staging }: TargetFacts): string {
  return quoteTable({ database, table: staging ?? table })
}

/** True where the rows of all these parts can be told from others. */
export function tellsApart(target: Target, parts: readonly PartRows[]): boolean {
  const facts = factsOf(target)
  const alone = facts.staging !== null || facts.created || facts.baseline?.rows === 0
  return alone && parts.every(({ extent }) => conditionOf(target, extent) !== undefined)
}

/** SQL, true for the rows of the part; undefined where values do not tell them. */
function conditionOf(target: Target, extent: Extent | undefined): string | undefined {
  if (extent === undefined || extent === 'all') return extent && 'true'
  const column = target.columns[factsOf(target).from.findIndex(({ name }) => name === extent.column)]
  const [from, below] = [boundOf(column, extent.from), boundOf(column, extent.below)]
  if (!column || from === undefined || below === undefined) return undefined
  const name = quoteName(column.name)
  const bounds = [...(from === null ? [] : [`${name} >= ${from}`]), ...(below === null ? [] : [`${name} < ${below}`])]
  const inside = bounds.length === 0 ? `${name} is not null` : bounds.join(' and ')
  return `(${inside}${extent.nulls ? ` or ${name} is null` : ''})`
}

/** Null: open; undefined: not a value of the column that has one place in its order here and at the source. */
function boundOf(column: Column | undefined, text: string | null): string | null | undefined {
  if (text === null) return null
  if (column?.type.is === 'date') return DATE.test(text) ? `cast(${textLiteral(text)} as date)` : undefined
  if (column && MOMENTS.has(column.type.is)) {
    const moment = MOMENT.exec(text)?.[1]
    return moment && `cast(${textLiteral(moment)} as datetime(6))`
  }
  return column && WHOLE.has(column.type.is) && NUMBER.test(text) ? text : undefined
}

interface PartDigests {
  readonly target: Target
  /** Quoted: where the rows are. */
  readonly table: string
  readonly columns: readonly Column[]
  readonly checksum: boolean
  readonly parts: readonly PartRows[]
}

/** One scan for all of them, in their order. */
export async function partDigests(wire: Wire, { target, table, columns, checksum, parts }: PartDigests): Promise<readonly Digest[]> {
  const cases = parts.map(({ extent }, at) => `when ${conditionOf(target, extent) ?? 'false'} then ${at}`)
  const sum = checksum ? `cast(coalesce(sum(${rowNumber(columns, 'mysql')}), 0) as char)` : 'null'
  const sql = `select case ${cases.join(' ')} end as of_part, cast(count(*) as char), ${sum} from ${table} group by of_part`
  const found = new Map((await StatementRun.one(wire, sql)).rows.map(([at, ...digest]) => [at, digest]))
  return parts.map((_, at) => {
    const [rows, total] = found.get(String(at)) ?? []
    if (total) refuseLong(total)
    return { rows: Number(rows ?? 0), checksum: checksum ? (total ?? '0') : null }
  })
}

/** Fails where the rows of single parts cannot be replaced. */
export function refuseRepair(target: Target): void {
  const facts = factsOf(target)
  if (facts.staging !== null || facts.byKey) return
  throw new Fault('COPY_UNSUPPORTED', {
    at: `${target.title}: rows are put right by their key, and the table has no unique index on copied columns without NULLs, or rows of others hang on it by foreign keys`,
    remedy: 'Start the copy again, with --mode overwrite.',
  })
}

/** Rows that come again take the place of those with the same key: nobody else's are touched. */
export async function canReplaceByKey(wire: Wire, found: Relation, columns: readonly Column[]): Promise<boolean> {
  const given = new Set(columns.map(({ name }) => name.toLowerCase()))
  if (!found.uniques.some(({ strict, columns: key }) => strict && key.every((name) => given.has(name.toLowerCase())))) return false
  return !(await isReferenced(wire, found))
}

interface TakeOut {
  readonly target: Target
  readonly run: string
  readonly tasks: readonly string[]
  readonly extent: Extent | undefined
  /** Its rows are put right by key afterwards. */
  readonly published: boolean
}

/** In the transaction that brings the rows anew; two that do so take turns at the records. */
export async function takeOut(wire: Wire, records: Records, { target, run, tasks, extent, published }: TakeOut): Promise<void> {
  refuseRepair(target)
  const list = tasks.map((task) => textLiteral(task)).join(', ')
  await StatementRun.one(wire, `delete from ${records.commits} where run_id = ${textLiteral(run)} and task_id in (${list})`)
  const facts = factsOf(target)
  if (facts.staging === null || published) return
  const condition = conditionOf(target, extent)
  if (condition === undefined)
    throw new Fault('COPY_UNSUPPORTED', { at: `${target.title}: nothing tells the rows of this part from others` })
  await StatementRun.one(wire, `delete from ${tableOf(facts)} where ${condition}`)
}
