import type { LogicalType } from '../copy-contract.ts'
import type { CsvDialect } from './csv-dialect.ts'
import { literal } from './sql.ts'

/** Asks for one row of text. */
export type AskRow = (sql: string) => Promise<readonly (string | null)[]>

interface Candidate {
  readonly type: LogicalType
  /** SQL, true when a text is surely of this type and comes back from it as the same value. */
  readonly fits: (text: string) => string
}

const sameText = (type: string) => (text: string) => `cast(try_cast(${text} as ${type}) as varchar) = ${text}`
const matches = (pattern: string) => (text: string) => `regexp_full_match(${text}, '${pattern}')`
const digits = (text: string) => `length(regexp_replace(${text}, '[^0-9]', '', 'g'))`
const PLAIN = '-?(0|[1-9][0-9]*)(\\.[0-9]+)?'
const STAMP = '[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,6})?)?'

/**
 * The narrowest first. "007" is no number: its zeros would be lost. A number with more digits than a double holds is a decimal;
 * days and times count only in ISO 8601, since "03/04" may be either.
 */
const CANDIDATES: readonly Candidate[] = [
  { type: { is: 'bool' }, fits: (text) => `lower(${text}) in ('t', 'f', 'true', 'false')` },
  { type: { is: 'int32' }, fits: sameText('integer') },
  { type: { is: 'int64' }, fits: sameText('bigint') },
  {
    type: { is: 'float64' },
    fits: (text) =>
      `(regexp_full_match(${text}, '-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?|-?Infinity|NaN') and try_cast(${text} as double) is not null and ${digits(text)} <= 17)`,
  },
  { type: { is: 'decimal' }, fits: (text) => `(${matches(PLAIN)(text)} and ${digits(text)} <= 38)` },
  { type: { is: 'date' }, fits: sameText('date') },
  { type: { is: 'timestamp' }, fits: (text) => `(${matches(STAMP)(text)} and try_cast(${text} as timestamp) is not null)` },
  {
    type: { is: 'timestamptz' },
    fits: (text) => `(${matches(`${STAMP}(Z|[+-][0-9]{2}(:?[0-9]{2})?)`)(text)} and try_cast(${text} as timestamptz) is not null)`,
  },
  { type: { is: 'uuid' }, fits: sameText('uuid') },
]

/** How numbers and times are written in the files. */
export type Spelling = Pick<CsvDialect, 'decimalSeparator' | 'dateFormat' | 'timestampFormat'>
const ISO: Spelling = { decimalSeparator: '.', dateFormat: '', timestampFormat: '' }

/** With a format of their own days and times are those that it reads and writes back the same. */
function candidatesOf({ decimalSeparator, dateFormat, timestampFormat }: Spelling): readonly Candidate[] {
  const sameStamp = (format: string) => (text: string) =>
    `strftime(try_strptime(${text}, ${literal(format)}), ${literal(format)}) = ${text}`
  return CANDIDATES.flatMap(({ type, fits }): Candidate[] => {
    const number = type.is === 'float64' || type.is === 'decimal'
    if (number && decimalSeparator === ',') {
      return [{ type, fits: (text) => `(not contains(${text}, '.') and ${fits(`replace(${text}, ',', '.')`)})` }]
    }
    if (type.is === 'date' && dateFormat !== '') return [{ type, fits: sameStamp(dateFormat) }]
    if (type.is === 'timestamp' && timestampFormat !== '') return [{ type, fits: sameStamp(timestampFormat) }]
    return type.is === 'timestamptz' && timestampFormat !== '' ? [] : [{ type, fits }]
  })
}

const TEXT: LogicalType = { is: 'text' }
const SAMPLE_ROWS = 2_000

/**
 * Types of columns of text, so that every value of all rows fits: guessed from the first rows, then held against all of them; what
 * does not hold is looked at again in full. `from` names a relation of text columns c0, c1, ….
 */
export async function inferTypes(from: string, columns: number, ask: AskRow, spelling: Spelling = ISO): Promise<readonly LogicalType[]> {
  const candidates = candidatesOf(spelling)
  const all = Array.from({ length: columns }, () => candidates)
  const sampled = await fitting(`(select * from ${from} limit ${SAMPLE_ROWS})`, all, ask, 'empty fits')
  const held = await fitting(
    from,
    sampled.map((fit) => fit.slice(0, 1)),
    ask,
  )
  const open = held.map((fit, i) => (fit.length === 0 && (sampled[i]?.length ?? 0) > 0 ? candidates : []))
  const again = open.some((fit) => fit.length > 0) ? await fitting(from, open, ask) : open
  const types = held.map((fit, i) => fit[0]?.type ?? again[i]?.[0]?.type ?? TEXT)
  return Promise.all(
    types.map((type, i) =>
      type.is === 'decimal' ? decimalOf(from, spelling.decimalSeparator === ',' ? `replace(c${i}, ',', '.')` : `c${i}`, ask) : type,
    ),
  )
}

/** Which candidates hold for all values of their column. Of a column that is all NULL: all of them in a sample, none otherwise. */
async function fitting(
  from: string,
  candidates: readonly (readonly Candidate[])[],
  ask: AskRow,
  empty?: 'empty fits',
): Promise<Candidate[][]> {
  const terms = candidates.flatMap((of, i) =>
    of.map(
      ({ fits }) =>
        `cast(coalesce(bool_and(coalesce(${fits(`c${i}`)}, c${i} is null)), false)${empty ? '' : ` and count(c${i}) > 0`} as varchar)`,
    ),
  )
  if (terms.length === 0) return candidates.map(() => [])
  const row = await ask(`select ${terms.join(', ')} from ${from} as t`)
  let next = 0
  return candidates.map((of) => of.filter(() => row[next++] === 'true'))
}

async function decimalOf(from: string, name: string, ask: AskRow): Promise<LogicalType> {
  const [whole, scale] = await ask(
    `select cast(max(length(regexp_extract(${name}, '^-?([0-9]+)', 1))) as varchar), cast(max(length(regexp_extract(${name}, '\\.([0-9]+)$', 1))) as varchar) from ${from} as t`,
  )
  const digitsAfter = Number(scale ?? 0)
  return Number(whole ?? 0) + digitsAfter > 38 ? TEXT : { is: 'decimal', precision: 38, scale: digitsAfter }
}
