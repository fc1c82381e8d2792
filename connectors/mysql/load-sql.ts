/** LOAD DATA with what must be done to the values on the way in: pure. */
import type { Column } from '../copy-contract.ts'
import { quoteName } from './names.ts'
import { GEOMETRIES, parseNative } from './types.ts'

export interface LoadParts {
  /** The source's columns and the target's, side by side. */
  readonly from: readonly Column[]
  readonly into: readonly Column[]
  readonly mariadb: boolean
  /** The source cannot tell bytes from text: what begins with \\x and goes into bytes is hex, as everywhere in files. */
  readonly hexText: boolean
  /** Rows with the same key are replaced. */
  readonly replace?: boolean
}

export function loadSql(table: string, { from, into, replace = false, ...how }: LoadParts): string {
  const pairs = into.map((column, i) => ({ column, set: setSql(from[i] ?? column, column, `@v${i}`, how), variable: `@v${i}` }))
  const list = pairs.map(({ column, set, variable }) => (set === undefined ? quoteName(column.name) : variable))
  const sets = pairs.flatMap(({ column, set }) => (set === undefined ? [] : [`${quoteName(column.name)} = ${set}`]))
  return `load data local infile 'postern' ${replace ? 'replace ' : ''}into table ${table} character set utf8mb4
    fields terminated by '\\t' escaped by '\\\\' lines terminated by '\\n'
    (${list.join(', ')})${sets.length === 0 ? '' : ` set ${sets.join(', ')}`}`
}

const MOMENTS: ReadonlySet<string> = new Set(['datetime', 'timestamp', 'date', 'time'])
const NUMBERS: ReadonlySet<string> = new Set(['tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'decimal', 'float', 'double', 'year'])
const BYTES: ReadonlySet<string> = new Set(['binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob'])
/** The largest of FLOAT as the shortest text that reads back as it; the server takes that text for too large. */
const MOST_FLOAT = ['3.4028235e38', '3.4028235e+38', '3.4028234663852886e38']

/** What the column is set to; undefined: the text goes in as it is, and an error names the column. */
function setSql(
  { type }: Column,
  { native }: Column,
  value: string,
  { mariadb, hexText }: Omit<LoadParts, 'from' | 'into' | 'replace'>,
): string | undefined {
  const { base } = parseNative(native)
  const bytes = type.is === 'bytes'
  if (bytes && (BYTES.has(base) || GEOMETRIES.has(base))) return `unhex(substr(${value}, 3))`
  if (hexText && type.is === 'text' && BYTES.has(base))
    return `if(${value} regexp '^.x([0-9a-fA-F]{2})*$' and ascii(${value}) = 92, unhex(substr(${value}, 3)), cast(${value} as binary))`
  if (base === 'bit') return `cast(${type.is === 'bool' ? boolSql(value) : value} as unsigned)`
  if (type.is === 'bool' && NUMBERS.has(base)) return boolSql(value)
  if (MOMENTS.has(base)) return momentSql(type, parseNative(native), value)
  if (base === 'year') return `cast(${value} as unsigned)`
  // MariaDB makes 0 of -0, without a word: it is made to fail.
  const signed = mariadb ? `if(${value} in ('-0', '-0.0', '-0e0'), concat(${value}, ' is not there'), ${value})` : value
  if (base === 'float') return floatSql(value, signed)
  if (base === 'double' && (type.is === 'float32' || type.is === 'float64') && mariadb) return signed
  return undefined
}

/** Moments are kept in UTC, without saying so. A finer fraction than the column holds would be rounded without a word: it is made to fail. */
function momentSql(type: Column['type'], { base, size }: ReturnType<typeof parseNative>, value: string): string | undefined {
  const zoneless = `if(right(${value}, 3) = '+00', left(${value}, char_length(${value}) - 3), ${value})`
  const plain = type.is === 'timestamptz' ? zoneless : value
  const digits = size[0] ?? 0
  if (base === 'date' || digits === 6) return plain === value ? undefined : plain
  return `if(${value} regexp '[.][0-9]{${digits}}[0-9]*[1-9]', concat(${value}, ' is too fine'), ${plain})`
}

function boolSql(value: string): string {
  return `(case ${value} when 't' then '1' when 'f' then '0' when 'true' then '1' when 'false' then '0' else ${value} end)`
}

function floatSql(value: string, otherwise: string): string {
  const most = `'3.4028234663852886e38'`
  const list = (sign: string) => MOST_FLOAT.map((text) => `'${sign}${text}'`).join(', ')
  return `(case when ${value} in (${list('')}) then ${most} when ${value} in (${list('-')}) then concat('-', ${most}) else ${otherwise} end)`
}
