import type { Column, Part, Shape } from '../contract.ts'
import { quoteName } from '../digest.ts'
import { evenBounds, histogramBounds, keyParts, pageParts, partsBySize } from './ranges.ts'
import type { SourceFacts } from './source.ts'
import { StatementRun } from './statement-run.ts'
import type { Wire } from './wire.ts'

const KEY_TYPES: Readonly<Record<string, string>> = { int16: 'bigint', int32: 'bigint', int64: 'bigint', date: 'date' }
/** A key is taken as evenly spread while its values lie no thinner than one in so many. */
const SPARSE = 2
const EPOCH = Date.UTC(1970, 0, 1)
const DAY_MS = 86_400_000

export async function splitTable(wire: Wire, shape: Shape, facts: SourceFacts, wanted: number | null): Promise<readonly Part[]> {
  const whole: readonly Part[] = [{ name: shape.title, estimatedRows: shape.estimatedRows, own: { by: 'all' } }]
  if (facts.is !== 'table') return whole
  const parts = wanted ?? partsBySize(shape.estimatedRows, shape.estimatedBytes)
  if (parts <= 1) return whole
  const key = shape.columns.find((column) => column.name === shape.key[0])
  const type = key && KEY_TYPES[key.type.is]
  if (key && type) return splitByKey(wire, { shape, facts, key, type, parts })
  if (!facts.pages) return whole
  const [size] = (await StatementRun.one(wire, `select pg_relation_size($1::oid) / current_setting('block_size')::int`, [facts.oid])).rows
  const cut = pageParts(Number(size?.[0] ?? 0), parts, shape.estimatedRows)
  return cut.length > 1 ? cut : whole
}

interface KeySplit {
  readonly shape: Shape
  readonly facts: Extract<SourceFacts, { is: 'table' }>
  readonly key: Column
  readonly type: string
  readonly parts: number
}

async function splitByKey(wire: Wire, { shape, facts, key, type, parts }: KeySplit): Promise<readonly Part[]> {
  const whole: readonly Part[] = [{ name: shape.title, estimatedRows: shape.estimatedRows, own: { by: 'all' } }]
  const column = quoteName(key.name)
  // Dates as days, so that both kinds are cut by whole numbers. An infinite date is no bound: the outer parts are open.
  const number = type === 'date' ? `(${column} - date '1970-01-01')::bigint` : `${column}::bigint`
  const finite = type === 'date' ? ` where isfinite(${column})` : ''
  // An output name of its own: "order by" takes a column of the output first, and a cast column is not what the index is over.
  const ends = `select (select ${number} as bound from ${facts.sql}${finite} order by ${column} limit 1),
                       (select ${number} as bound from ${facts.sql}${finite} order by ${column} desc limit 1)`
  const [row] = (await StatementRun.one(wire, ends)).rows
  if (row?.[0] === null || row?.[0] === undefined || row[1] === null || row[1] === undefined) return whole
  const [low, high] = [BigInt(row[0]), BigInt(row[1])]
  const rows = shape.estimatedRows
  const dense = rows !== null && high - low + 1n <= BigInt(rows) * BigInt(SPARSE)
  const histogram = dense ? [] : await histogramOf(wire, facts, key, type)
  const bounds = histogram.length > parts ? histogramBounds(histogram, parts) : evenBounds(low, high, parts)
  const show = type === 'date' ? dayText : String
  return keyParts({
    column: key.name,
    type,
    bounds: bounds.map(show),
    low: show(low),
    high: show(high),
    before: (bound) => show((type === 'date' ? dayOf(bound) : BigInt(bound)) - 1n),
    rows,
  })
}

/** Equal counts: what ANALYZE knows of the column, else a sample of the table. */
async function histogramOf(wire: Wire, facts: KeySplit['facts'], key: Column, type: string): Promise<readonly bigint[]> {
  const array = `${type}[]`
  const known = `select array_to_json(histogram_bounds::text::${array}) from pg_stats where schemaname = $1 and tablename = $2 and attname = $3`
  const [row] = (await StatementRun.one(wire, known, [facts.schema, facts.table, key.name])).rows
  if (row?.[0]) return numbersOf(row[0], type)
  if (!facts.pages) return []
  const column = quoteName(key.name)
  const fractions = Array.from({ length: 101 }, (_, i) => i / 100).join(',')
  const [pages] = (await StatementRun.one(wire, `select pg_relation_size($1::oid) / current_setting('block_size')::int`, [facts.oid])).rows
  const percent = Math.min(100, 300_000 / Math.max(1, Number(pages?.[0] ?? 1)))
  const sample = `select array_to_json(percentile_disc(array[${fractions}]::float8[]) within group (order by ${column}))
                    from ${facts.sql} tablesample system (${percent})`
  const [sampled] = (await StatementRun.one(wire, sample)).rows
  return sampled?.[0] ? numbersOf(sampled[0], type) : []
}

function numbersOf(json: string, type: string): readonly bigint[] {
  // The digits are read from the text: a number of JSON would lose the last ones of a bigint.
  const items = json.slice(1, -1).split(',')
  if (type !== 'date') return items.map((item) => BigInt(item.trim()))
  return items.filter((item) => /^\s*"\d{4,}-\d\d-\d\d"\s*$/.test(item)).map((item) => dayOf(item.trim().slice(1, -1)))
}

function dayOf(text: string): bigint {
  const [year = 1970, month = 1, day = 1] = text.split('-').map(Number)
  return BigInt(Math.round((Date.UTC(year, month - 1, day) - EPOCH) / DAY_MS))
}

function dayText(day: bigint): string {
  return new Date(EPOCH + Number(day) * DAY_MS).toISOString().slice(0, 10)
}
