/** Where a table is cut: by a whole number or a date. */
import { Fault } from '@postern/protocol/fault.ts'
import type { Column, Part, Shape } from '../copy-contract.ts'
import { evenBounds, partsBySize } from '../postgres/ranges.ts'
import { fromOf, type SourceFacts } from './describe.ts'
import { quoteName, textLiteral } from './names.ts'
import { StatementRun } from './statement-run.ts'
import type { Wire } from './wire.ts'

/** A part's rows; no bound = open, so that nothing lies outside of all parts. The first part has the rows without a value. */
export type Range =
  | { readonly by: 'all' }
  | { readonly by: 'key'; readonly column: string; readonly date: boolean; readonly from: string | null; readonly below: string | null }

const WHOLE: ReadonlySet<string> = new Set(['int16', 'int32', 'int64', 'decimal'])
/** The range is cut into so many pieces for each part; neighbours are then put together to parts of equal size. */
const PIECES = 8
const MOST_PIECES = 512
const EPOCH = Date.UTC(1970, 0, 1)
const DAY_MS = 86_400_000

export function whereOf(range: Range): string {
  if (range.by === 'all') return ''
  const { column, date, from, below } = range
  const name = quoteName(column)
  const bound = (text: string) => (date ? `cast(${textLiteral(text)} as date)` : String(BigInt(text)))
  const lower = from === null ? '' : `${name} >= ${bound(from)}`
  const upper = below === null ? '' : from === null ? `(${name} < ${bound(below)} or ${name} is null)` : `${name} < ${bound(below)}`
  return [lower, upper].filter((each) => each !== '').join(' and ')
}

export interface SplitOptions {
  readonly wanted: number | null
  readonly splitBy?: string | undefined
}

export async function splitTable(
  wire: Wire,
  shape: Shape,
  facts: SourceFacts,
  { wanted, splitBy }: SplitOptions,
): Promise<readonly Part[]> {
  const whole: readonly Part[] = [{ name: shape.title, estimatedRows: shape.estimatedRows, own: { by: 'all' } satisfies Range }]
  const key = keyColumn(shape, splitBy)
  const parts = wanted ?? partsBySize(shape.estimatedRows, shape.estimatedBytes)
  if (parts <= 1 || !key) return whole
  const date = key.type.is === 'date'
  const ends = await endsOf(wire, facts, key, date)
  if (!ends) return whole
  const bounds = evenBounds(ends.low, ends.high, Math.min(parts * PIECES, MOST_PIECES))
  const pieces = await weigh(wire, facts, key, date, bounds)
  return joined(pieces, parts).map((piece) => partOf(piece, key.name, date, ends))
}

function keyColumn(shape: Shape, splitBy: string | undefined): Column | undefined {
  const wanted = splitBy ?? shape.key[0]
  const column = shape.columns.find(({ name }) => name === wanted)
  const fits = column && (column.type.is === 'date' || (WHOLE.has(column.type.is) && !/\(\d+,[1-9]/.test(column.native)))
  if (splitBy === undefined) return fits ? column : undefined
  if (fits) return column
  const why = column ? `is ${column.native}: whole numbers and dates can be cut` : 'is not there'
  throw new Fault('INPUT_INVALID', { at: `splitBy: column ${splitBy} of ${shape.title} ${why}` })
}

interface Ends {
  readonly low: bigint
  readonly high: bigint
}

async function endsOf(wire: Wire, facts: SourceFacts, key: Column, date: boolean): Promise<Ends | undefined> {
  const name = quoteName(key.name)
  // Days as numbers, so that both kinds are cut by whole numbers. A date of zeros has no number; the first part is open and has it.
  const show = (text: string) => (date ? `to_days(${text}) - 719528` : text)
  const known = date ? `${name} >= '0001-01-01' and dayofmonth(${name}) > 0 and month(${name}) > 0` : ''
  const sql = `select ${show(`min(${name})`)}, ${show(`max(${name})`)} from ${fromOf(facts, known)}`
  const [row] = (await StatementRun.one(wire, sql)).rows
  if (row?.[0] === null || row?.[0] === undefined || row[1] === null || row[1] === undefined) return undefined
  return { low: BigInt(row[0]), high: BigInt(row[1]) }
}

interface Piece {
  readonly from: bigint | null
  readonly below: bigint | null
  readonly rows: number
}

/** How many rows each piece has, as the optimizer estimates them from the index: nothing is read. */
async function weigh(wire: Wire, facts: SourceFacts, key: Column, date: boolean, bounds: readonly bigint[]): Promise<readonly Piece[]> {
  const pieces: Piece[] = []
  for (let i = 0; i <= bounds.length; i += 1) {
    const [from, below] = [bounds[i - 1] ?? null, bounds[i] ?? null]
    const range = rangeOf(key.name, date, from, below)
    pieces.push({ from, below, rows: await estimate(wire, facts, range) })
  }
  return pieces
}

/** As the optimizer expects: nothing is read. */
export async function estimate(wire: Wire, facts: SourceFacts, range: Range): Promise<number> {
  const run = await StatementRun.one(wire, `explain select 1 from ${fromOf(facts, whereOf(range))}`)
  const at = run.fields?.findIndex(({ name }) => name === 'rows') ?? -1
  return Math.max(1, Number(run.rows[0]?.[at] ?? 1) || 1)
}

/** Neighbours put together, so that each part has about the same. */
function joined(pieces: readonly Piece[], parts: number): readonly Piece[] {
  const all = pieces.reduce((sum, { rows }) => sum + rows, 0)
  const found: Piece[] = []
  let open: Piece | undefined
  let before = 0
  for (const piece of pieces) {
    open = open ? { from: open.from, below: piece.below, rows: open.rows + piece.rows } : piece
    before += piece.rows
    const enough = before >= (all * (found.length + 1)) / parts
    if (!enough || piece.below === null) continue
    found.push(open)
    open = undefined
  }
  return open ? [...found, open] : found
}

function rangeOf(column: string, date: boolean, from: bigint | null, below: bigint | null): Range {
  const show = (bound: bigint | null) => (bound === null ? null : date ? dayText(bound) : String(bound))
  return { by: 'key', column, date, from: show(from), below: show(below) }
}

function partOf({ from, below, rows }: Piece, column: string, date: boolean, { low, high }: Ends): Part {
  const show = date ? dayText : String
  const name = `${column} ${show(from ?? low)} to ${show(below === null ? high : below - 1n)}`
  const bound = (at: bigint | null) => (at === null ? null : show(at))
  const range = { column, from: bound(from), below: bound(below), nulls: from === null }
  return { name, estimatedRows: rows, range, own: rangeOf(column, date, from, below) }
}

function dayText(day: bigint): string {
  return new Date(EPOCH + Number(day) * DAY_MS).toISOString().slice(0, 10)
}
