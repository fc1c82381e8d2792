import { Fault } from '@postern/protocol/fault.ts'
import type { Column, Part, Shape } from '../copy-contract.ts'
import { quoteName } from '../digest.ts'
import { quoteIfNeeded } from './browse.ts'
import { quoteTable } from './names.ts'
import { type Cut, evenCut, keyParts, pageParts, partsBySize, quantileCut } from './ranges.ts'
import { ServerError } from './server-error.ts'
import { columnOf, fromOf, type SourceFacts } from './source-facts.ts'
import { StatementRun } from './statement-run.ts'
import type { Wire } from './wire.ts'

type Table = Extract<SourceFacts, { is: 'table' }>

/** Keys that a table is cut by without being told: their order is cheap to ask for. */
const KEY_TYPES: ReadonlySet<string> = new Set(['int16', 'int32', 'int64', 'date', 'timestamp', 'timestamptz'])
const WHOLE: ReadonlySet<string> = new Set(['int16', 'int32', 'int64'])
/** A unique key is taken as evenly spread while its values lie no thinner than one in so many. */
const SPARSE = 2
/** Of a large table so many pages are looked at to find where to cut it. */
const SAMPLE_PAGES = 3_000
const QUANTILES = 200
const EPOCH = Date.UTC(1970, 0, 1)
const DAY_MS = 86_400_000
const A_DAY = /^\d{4}-\d\d-\d\d$/

export interface SplitWish {
  readonly wanted: number | null
  readonly splitBy: string | undefined
}

/** Into how many parts at most, and by which column where one is named. */
export interface WantedCut {
  readonly parts: number
  readonly column: Column | undefined
}

/** As far as it can be told without a look at the table. */
export function cutOf(shape: Shape, { wanted, splitBy }: SplitWish): WantedCut {
  return {
    parts: wanted ?? partsBySize(shape.estimatedRows, shape.estimatedBytes),
    column: splitBy === undefined ? undefined : columnOf(shape, splitBy, 'splitBy'),
  }
}

/** One part. */
export const whole = (shape: Shape): readonly Part[] => [{ name: shape.title, estimatedRows: shape.estimatedRows, own: { by: 'all' } }]

/** All that is asked here is asked under the snapshot that the parts will be read under. */
export async function splitTable(wire: Wire, shape: Shape, facts: SourceFacts, { parts, column }: WantedCut): Promise<readonly Part[]> {
  if (column) return (await splitByColumn(wire, { shape, facts, column, parts })) ?? whole(shape)
  if (facts.is !== 'table') return whole(shape)
  const key = shape.columns.find(({ name }) => name === shape.key[0])
  if (key && KEY_TYPES.has(key.type.is)) return (await splitByColumn(wire, { shape, facts, column: key, parts })) ?? whole(shape)
  const cut = facts.kind === 'p' ? await leafParts(wire, facts, parts) : facts.pages ? await tablePages(wire, shape, facts, parts) : []
  return cut.length > 1 ? cut : whole(shape)
}

interface ColumnSplit {
  readonly shape: Shape
  readonly facts: SourceFacts
  readonly column: Column
  readonly parts: number
}

/** Undefined: there is nothing to cut. */
async function splitByColumn(wire: Wire, split: ColumnSplit): Promise<readonly Part[] | undefined> {
  const { shape, facts, column, parts } = split
  const ends = await endsOf(wire, split)
  if (!ends) return undefined
  const [low, high] = ends
  const is = column.type.is
  const unique = shape.key.length === 1 && shape.key[0] === column.name && !facts.above
  const even = unique ? evenKey(is, low, high, shape.estimatedRows, parts) : undefined
  const cut = even ?? quantileCut(await quantilesOf(wire, split), parts)
  return keyParts({
    column: column.name,
    type: WHOLE.has(is) ? 'bigint' : is === 'date' ? 'date' : null,
    cut,
    low,
    high,
    ...(WHOLE.has(is) && { before: (bound: string) => String(BigInt(bound) - 1n) }),
    ...(is === 'date' && { before: (bound: string) => (A_DAY.test(bound) ? dayText(dayOf(bound) - 1n) : `below ${bound}`) }),
    rows: shape.estimatedRows,
    nulls: column.nullable,
    told: KEY_TYPES.has(is),
  })
}

/** Whole numbers and days that lie so close that equal widths are equal shares. */
function evenKey(is: string, low: string, high: string, rows: number | null, parts: number): Cut | undefined {
  if (rows === null) return undefined
  if (is === 'date') {
    if (!A_DAY.test(low) || !A_DAY.test(high)) return undefined
    const [first, last] = [dayOf(low), dayOf(high)]
    if (last - first + 1n > BigInt(rows) * BigInt(SPARSE)) return undefined
    const { bounds, shares } = evenCut(first, last, parts)
    return { bounds: bounds.map((bound) => dayText(BigInt(bound))), shares }
  }
  if (!WHOLE.has(is)) return undefined
  const [first, last] = [BigInt(low), BigInt(high)]
  return last - first + 1n > BigInt(rows) * BigInt(SPARSE) ? undefined : evenCut(first, last, parts)
}

/** The smallest and the largest value, by the index where there is one. */
async function endsOf(wire: Wire, { facts, column, shape }: ColumnSplit): Promise<readonly [string, string] | undefined> {
  const name = quoteName(column.name)
  // An output name of its own: "order by" takes a column of the output first, and a cast column is not what the index is over.
  const end = (how: string) =>
    `(select ${name}::text as bound from ${fromOf(facts)}${facts.above ? ' and' : ' where'} ${name} is not null order by ${name}${how} limit 1)`
  try {
    const [row] = (await StatementRun.one(wire, `select ${end('')}, ${end(' desc')}`)).rows
    return typeof row?.[0] === 'string' && typeof row[1] === 'string' ? [row[0], row[1]] : undefined
  } catch (cause) {
    if (!(cause instanceof ServerError) || cause.code !== '42883') throw cause
    throw new Fault('INPUT_INVALID', { at: `splitBy: ${shape.title}: values of ${column.name} (${column.native}) have no order`, cause })
  }
}

/** Values at even distances: of a sample of its pages where the table has pages, else of all rows. */
async function quantilesOf(wire: Wire, { facts, column, shape, parts }: ColumnSplit): Promise<readonly string[]> {
  const name = quoteName(column.name)
  const count = Math.max(QUANTILES, parts * 8)
  const fractions = Array.from({ length: count }, (_, i) => (i / count).toFixed(6)).join(',')
  const percent =
    facts.above || !(facts.is === 'table' && (facts.pages || facts.kind === 'p')) ? 100 : await samplePercent(wire, shape, facts)
  const from = percent < 100 && facts.is === 'table' ? `${facts.sql} tablesample system (${percent})` : fromOf(facts)
  const sql = `select array_to_json((percentile_disc(array[${fractions}]::float8[]) within group (order by ${name}))::text[]) from ${from}`
  const [row] = (await StatementRun.one(wire, sql)).rows
  const values = JSON.parse(row?.[0] ?? '[]') as (string | null)[]
  return values.filter((value) => value !== null)
}

async function samplePercent(wire: Wire, shape: Shape, facts: Table): Promise<number> {
  const [row] = (await StatementRun.one(wire, `select pg_relation_size($1::oid) / current_setting('block_size')::int`, [facts.oid])).rows
  const pages = facts.kind === 'p' ? (shape.estimatedBytes ?? 0) / 8_192 : Number(row?.[0] ?? 0)
  return Math.min(100, (SAMPLE_PAGES * 100) / Math.max(1, pages))
}

async function tablePages(wire: Wire, shape: Shape, facts: Table, parts: number): Promise<readonly Part[]> {
  const [size] = (await StatementRun.one(wire, `select pg_relation_size($1::oid) / current_setting('block_size')::int`, [facts.oid])).rows
  return pageParts(Number(size?.[0] ?? 0), parts, shape.estimatedRows)
}

const LEAVES = `
  select n.nspname, c.relname, c.relkind, pg_relation_size(c.oid) / current_setting('block_size')::int,
         case when c.reltuples < 0 then null else c.reltuples::bigint end, has_table_privilege(c.oid, 'select')
    from pg_partition_tree($1::oid) t
    join pg_class c on c.oid = t.relid
    join pg_namespace n on n.oid = c.relnamespace
   where t.isleaf
   order by c.oid`

/** Partitions, the large ones cut by their pages; none when one of them may not be read by itself. */
async function leafParts(wire: Wire, facts: Table, parts: number): Promise<readonly Part[]> {
  const rows = (await StatementRun.one(wire, LEAVES, [facts.oid])).rows
  const leaves = rows.map(([schema, table, kind, pages, tuples, allowed]) => ({
    leaf: {
      sql: quoteTable({ schema: schema ?? '', table: table ?? '' }),
      name: `${quoteIfNeeded(schema ?? '')}.${quoteIfNeeded(table ?? '')}`,
    },
    pages: kind === 'r' ? Number(pages ?? 0) : 0,
    rows: tuples === null || tuples === undefined ? null : Number(tuples),
    allowed: allowed === 't' && (kind === 'r' || kind === 'f'),
  }))
  if (leaves.length === 0 || leaves.length > parts || leaves.some(({ allowed }) => !allowed)) return []
  const all = leaves.reduce((sum, { pages }) => sum + pages, 0)
  const spare = parts - leaves.length
  return leaves.flatMap(({ leaf, pages, rows: count }) => pageParts(pages, 1 + Math.floor((spare * pages) / Math.max(1, all)), count, leaf))
}

function dayOf(text: string): bigint {
  const [year = 1970, month = 1, day = 1] = text.split('-').map(Number)
  return BigInt(Math.round((Date.UTC(year, month - 1, day) - EPOCH) / DAY_MS))
}

function dayText(day: bigint): string {
  return new Date(EPOCH + Number(day) * DAY_MS).toISOString().slice(0, 10)
}
