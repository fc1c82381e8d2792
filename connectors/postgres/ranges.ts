/** Where a table is cut: pure. */
import type { Part } from '../copy-contract.ts'
import { quoteName } from '../digest.ts'

/** A part's rows, as SQL conditions; no bound = open, so that nothing lies outside of all parts. */
export type Range =
  | { readonly by: 'all' }
  | {
      readonly by: 'key'
      readonly column: string
      /** Null: the column's own. */
      readonly type: string | null
      readonly from: string | null
      readonly below: string | null
      /** With the rows that have no value there. */
      readonly nulls?: boolean
    }
  | { readonly by: 'page'; readonly from: number | null; readonly below: number | null; readonly leaf?: Leaf }

/** One partition of a partitioned table: read by itself, so that its pages are. */
export interface Leaf {
  /** Quoted, for SQL. */
  readonly sql: string
  readonly name: string
}

/** Conditions, each to hold. */
export function conditionsOf(range: Range): readonly string[] {
  if (range.by === 'all') return []
  const { from, below } = range
  if (range.by === 'page') {
    return [
      ...(from === null ? [] : [`ctid >= '(${Number(from)},0)'::tid`]),
      ...(below === null ? [] : [`ctid < '(${Number(below)},0)'::tid`]),
    ]
  }
  const column = quoteName(range.column)
  const bounds = [
    ...(from === null ? [] : [`${column} >= ${literal(String(from), range.type)}`]),
    ...(below === null ? [] : [`${column} < ${literal(String(below), range.type)}`]),
  ]
  return range.nulls && bounds.length > 0 ? [`(${bounds.join(' and ')} or ${column} is null)`] : bounds
}

/** Bounds come from the data and travel with the plan: they are quoted. Without a type they take the column's. */
export function literal(text: string, type: string | null): string {
  if (type !== null && !/^[a-z ]+$/.test(type)) throw new RangeError('not the name of a key type')
  const plain = `'${text.replaceAll("'", "''")}'`
  const quoted = text.includes('\\') ? `E${plain.replaceAll('\\', '\\\\')}` : plain
  return type === null ? quoted : `${quoted}::${type}`
}

/** Inner bounds of equal widths between two whole numbers, smallest first, none twice. */
export function evenBounds(low: bigint, high: bigint, parts: number): readonly bigint[] {
  const width = high - low + 1n
  const bounds: bigint[] = []
  for (let i = 1; i < parts; i += 1) {
    const bound = low + (width * BigInt(i)) / BigInt(parts)
    if (bound > (bounds.at(-1) ?? low) && bound <= high) bounds.push(bound)
  }
  return bounds
}

/** Where to cut, and which share of the rows lies before, between and behind the bounds: one more than there are bounds. */
export interface Cut {
  readonly bounds: readonly string[]
  readonly shares: readonly number[]
}

export function evenCut(low: bigint, high: bigint, parts: number): Cut {
  const bounds = evenBounds(low, high, parts)
  return { bounds: bounds.map(String), shares: Array.from({ length: bounds.length + 1 }, () => 1 / (bounds.length + 1)) }
}

/** From quantiles: values in order at even distances. One value that many rows have is not cut; its part is as large as it must be. */
export function quantileCut(quantiles: readonly string[], parts: number): Cut {
  const bounds: string[] = []
  const at: number[] = []
  for (let i = 1; i < parts; i += 1) {
    let place = Math.round((i * quantiles.length) / parts)
    const value = quantiles[place]
    if (value === undefined) continue
    // Where the value begins: all rows that have it are behind the bound.
    while (place > 0 && quantiles[place - 1] === value) place -= 1
    if (place === 0 || value === bounds.at(-1)) continue
    bounds.push(value)
    at.push(place)
  }
  if (bounds.length === 0) return { bounds, shares: [1] }
  const ends = [0, ...at, quantiles.length]
  return { bounds, shares: ends.slice(1).map((end, i) => (end - (ends[i] ?? 0)) / quantiles.length) }
}

export interface KeyCut {
  readonly column: string
  readonly type: string | null
  readonly cut: Cut
  /** For names: the smallest and largest value. */
  readonly low: string
  readonly high: string
  /** The last value below a bound, for names: "aid 1 to 500000"; left out where values have none. */
  readonly before?: (bound: string) => string
  readonly rows: number | null
  /** Rows without a value go into the first part. */
  readonly nulls: boolean
  /** Values have the same order in any database. */
  readonly told: boolean
}

export function keyParts({ column, type, cut, low, high, before, rows, nulls, told }: KeyCut): readonly Part[] {
  const { bounds, shares } = cut
  return shares.map((share, i) => {
    const from = bounds[i - 1] ?? null
    const below = bounds[i] ?? null
    const own: Range = { by: 'key', column, type, from, below, ...(nulls && i === 0 && { nulls }) }
    const end = below === null ? `to ${short(high)}` : before ? `to ${before(below)}` : `to below ${short(below)}`
    const name = `${column} ${short(from ?? low)} ${end}`
    const range = { column, from, below, nulls: nulls && i === 0 }
    return { name, estimatedRows: rows === null ? null : Math.round(rows * share), ...(told && { range }), own }
  })
}

function short(value: string): string {
  const line = value.replaceAll(/\s+/g, ' ')
  return line.length > 40 ? `${line.slice(0, 39)}…` : line
}

export function pageParts(pages: number, wanted: number, rows: number | null, leaf?: Leaf): readonly Part[] {
  const bounds = pages < 2 ? [] : evenBounds(0n, BigInt(pages - 1), Math.min(wanted, pages)).map(Number)
  const count = bounds.length + 1
  const estimatedRows = rows === null ? null : Math.round(rows / count)
  return Array.from({ length: count }, (_, i) => {
    const from = bounds[i - 1] ?? null
    const below = bounds[i] ?? null
    const own: Range = { by: 'page', from, below, ...(leaf && { leaf }) }
    const range = count === 1 && leaf ? '' : `pages ${from ?? 0} to ${below === null ? Math.max(pages - 1, 0) : below - 1}`
    return { name: [leaf?.name ?? '', range].filter(Boolean).join(' '), estimatedRows, own }
  })
}

/** How many parts where nobody said: one per so many rows or bytes. */
const PART_ROWS = 500_000
const PART_BYTES = 134_217_728
const PARTS = 256

export function partsBySize(rows: number | null, bytes: number | null): number {
  const needed = Math.max(Math.ceil((rows ?? 0) / PART_ROWS), Math.ceil((bytes ?? 0) / PART_BYTES))
  return Math.min(PARTS, Math.max(1, needed))
}
