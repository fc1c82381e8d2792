/** Where a table is cut: pure. */
import type { Part } from '../contract.ts'
import { quoteName } from '../digest.ts'

/** A part's rows, as SQL conditions; no bound = open, so that nothing lies outside of all parts. */
export type Range =
  | { readonly by: 'all' }
  | { readonly by: 'key'; readonly column: string; readonly type: string; readonly from: string | null; readonly below: string | null }
  | { readonly by: 'page'; readonly from: number | null; readonly below: number | null }

export function whereOf(range: Range): string {
  if (range.by === 'all') return ''
  const { from, below } = range
  const bounds =
    range.by === 'page'
      ? [from === null ? '' : `ctid >= '(${from},0)'::tid`, below === null ? '' : `ctid < '(${below},0)'::tid`]
      : [
          from === null ? '' : `${quoteName(range.column)} >= ${literal(String(from), range.type)}`,
          below === null ? '' : `${quoteName(range.column)} < ${literal(String(below), range.type)}`,
        ]
  const given = bounds.filter((bound) => bound !== '')
  return given.length === 0 ? '' : ` where ${given.join(' and ')}`
}

/** Bounds come from the catalogue and travel with the plan; they are quoted all the same. */
function literal(text: string, type: string): string {
  if (!/^[a-z ]+$/.test(type)) throw new RangeError('not the name of a key type')
  return `'${text.replaceAll("'", "''")}'::${type}`
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

/** Inner bounds from a histogram of equal counts (its ends are the smallest and largest value), none twice. */
export function histogramBounds(histogram: readonly bigint[], parts: number): readonly bigint[] {
  const [first] = histogram
  if (first === undefined) return []
  const bounds: bigint[] = []
  for (let i = 1; i < parts; i += 1) {
    const place = (i * (histogram.length - 1)) / parts
    const lower = histogram[Math.floor(place)] ?? first
    const upper = histogram[Math.ceil(place)] ?? lower
    const share = BigInt(Math.round((place - Math.floor(place)) * 1_000))
    const bound = lower + ((upper - lower) * share) / 1_000n
    if (bound > (bounds.at(-1) ?? first)) bounds.push(bound)
  }
  return bounds
}

export interface KeyCut {
  readonly column: string
  readonly type: string
  readonly bounds: readonly string[]
  /** For names: the smallest and largest value. */
  readonly low: string
  readonly high: string
  /** The last value below a bound, for names: "aid 1 to 500000". */
  readonly before: (bound: string) => string
  readonly rows: number | null
}

export function keyParts(cut: KeyCut): readonly Part[] {
  const { column, type, bounds, low, high, before, rows } = cut
  const count = bounds.length + 1
  const estimatedRows = rows === null ? null : Math.round(rows / count)
  return Array.from({ length: count }, (_, i) => {
    const from = bounds[i - 1] ?? null
    const below = bounds[i] ?? null
    const own: Range = { by: 'key', column, type, from, below }
    return { name: `${column} ${from ?? low} to ${below === null ? high : before(below)}`, estimatedRows, own }
  })
}

export function pageParts(pages: number, wanted: number, rows: number | null): readonly Part[] {
  const bounds = pages < 2 ? [] : evenBounds(0n, BigInt(pages - 1), Math.min(wanted, pages)).map(Number)
  const count = bounds.length + 1
  const estimatedRows = rows === null ? null : Math.round(rows / count)
  return Array.from({ length: count }, (_, i) => {
    const from = bounds[i - 1] ?? null
    const below = bounds[i] ?? null
    const own: Range = { by: 'page', from, below }
    return { name: `pages ${from ?? 0} to ${below === null ? Math.max(pages - 1, 0) : below - 1}`, estimatedRows, own }
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
