/**
 * A digest of rows that any two stores can compute alike, in their own SQL: each row becomes a canonical text, that its md5, and the
 * sum over the rows does not depend on their order. Row text = for each column in order: NULL → "-", else the length in code points,
 * ":", the text. Row number = the first 15 hex digits (60 bits) of the md5 of its UTF-8.
 */
import type { Column } from './copy-contract.ts'
import { mysqlDigestQuery, mysqlRowNumber, mysqlRowText, mysqlText } from './digest-mysql.ts'

export type Dialect = 'postgres' | 'duckdb' | 'mysql'

export interface DigestParts {
  readonly dialect: Dialect
  readonly columns: readonly Column[]
  /** What follows FROM: a table, `(select …) as t`, with WHERE if any. */
  readonly from: string
  /** False: only count. */
  readonly checksum: boolean
}

/** One row, two text columns: `rows` and `checksum` (null when only counted). */
export function digestQuery(parts: DigestParts): string {
  const { dialect, columns, from, checksum } = parts
  if (dialect === 'mysql') return mysqlDigestQuery(columns, from, checksum)
  const text = dialect === 'postgres' ? 'text' : 'varchar'
  const sum = checksum ? `cast(coalesce(sum(${rowNumber(columns, dialect)}), 0) as ${text})` : `cast(null as ${text})`
  return `select cast(count(*) as ${text}) as "rows", ${sum} as "checksum" from ${from}`
}

/** SQL: a whole number from 0 to 2⁶⁰ − 1 that stands for the row. */
export function rowNumber(columns: readonly Column[], dialect: Dialect): string {
  if (dialect === 'mysql') return mysqlRowNumber(columns)
  const row = rowText(columns, dialect)
  return dialect === 'postgres'
    ? // convert_to: md5 must see UTF-8 in a database of another encoding too.
      `('x' || substr(md5(convert_to(${row}, 'UTF8')), 1, 15))::bit(60)::bigint`
    : `cast('0x' || substr(md5(${row}), 1, 15) as bigint)`
}

export function rowText(columns: readonly Column[], dialect: Dialect): string {
  if (dialect === 'mysql') return mysqlRowText(columns)
  if (columns.length === 0) return "''"
  const cells = columns.map((column) => {
    const text = canonicalText(column, dialect)
    const length = FIXED_LENGTH[column.type.is]
    const sized = length === undefined ? `length(${text}) || ':' || ${text}` : `'${length}:' || ${text}`
    return `coalesce(${sized}, '-')`
  })
  return cells.join(' || ')
}

/** Types whose canonical text is always as long as this: the length needs no second evaluation. */
const FIXED_LENGTH: Readonly<Record<string, number>> = { bool: 1, uuid: 36 }

/** SQL: the value as text, the same in every dialect; NULL stays NULL. */
export function canonicalText(column: Column, dialect: Dialect): string {
  if (dialect === 'mysql') return mysqlText(column)
  const name = quoteName(column.name)
  return dialect === 'postgres' ? postgresText(column, name) : duckdbText(column, name)
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function postgresText({ type, native }: Column, name: string): string {
  switch (type.is) {
    case 'bool':
      return `(case when ${name} then 't' when not ${name} then 'f' end)`
    case 'int16':
    case 'int32':
    case 'int64':
    case 'json':
      return `${name}::text`
    case 'decimal':
      return type.scale === undefined ? `${name}::text` : `round(${name}::numeric, ${type.scale})::text`
    case 'float32':
    case 'float64':
      return `(case when ${name} = 'NaN' then 'NaN' else ('x' || encode(float8send(${name}), 'hex'))::bit(64)::text end)`
    case 'date':
      return `(case when isfinite(${name}) then (${name} - date '1970-01-01')::text else ${name}::text end)`
    case 'time':
      return `(date_part('epoch', ${name}) * 1000000)::bigint::text`
    case 'timestamp':
    case 'timestamptz':
      // Whole seconds and microseconds apart: as one double, far dates would lose digits.
      // The last years that PostgreSQL knows have more microseconds than a bigint.
      return `(case when ${name} >= '294000-01-01' and isfinite(${name}) then (date_part('epoch', date_trunc('second', ${name}))::numeric * 1000000 + date_part('microseconds', ${name})::bigint % 1000000)::text when isfinite(${name}) then (date_part('epoch', date_trunc('second', ${name}))::bigint * 1000000 + date_part('microseconds', ${name})::bigint % 1000000)::text else ${name}::text end)`
    case 'uuid':
      return `lower(${name}::text)`
    case 'bytes':
      return `encode(${name}, 'hex')`
    case 'text':
      // A cast would strip what pads character(n); COPY does not.
      return /^(character\(|bpchar|"char")/.test(native) ? outputText(name) : `${name}::text`
    case 'other':
      return outputText(name)
    default:
      return type satisfies never
  }
}

/** As COPY writes it: a cast differs for some types (inet gets its mask). */
function outputText(name: string): string {
  return `(case when ${name} is not null then concat(${name}) end)`
}

function duckdbText({ type }: Column, name: string): string {
  switch (type.is) {
    case 'bool':
      return `(case when ${name} then 't' when not ${name} then 'f' end)`
    case 'int16':
    case 'int32':
    case 'int64':
    case 'json':
    case 'text':
    case 'other':
      return `cast(${name} as varchar)`
    case 'decimal':
      // 38 wide: a decimal as wide as its scale is printed without the leading zero.
      return type.scale === undefined ? `cast(${name} as varchar)` : `cast(cast(${name} as decimal(38, ${type.scale})) as varchar)`
    case 'float32':
    case 'float64':
      return `(case when isnan(${name}) then 'NaN' else cast(cast(cast(${name} as double) as bit) as varchar) end)`
    case 'date':
      return `(case when isfinite(${name}) then cast(date_diff('day', date '1970-01-01', ${name}) as varchar) else cast(${name} as varchar) end)`
    case 'time':
      return `cast(epoch_us(${name}) as varchar)`
    case 'timestamp':
    case 'timestamptz':
      return `(case when isfinite(${name}) then cast(epoch_us(${name}) as varchar) else cast(${name} as varchar) end)`
    case 'uuid':
      return `lower(cast(${name} as varchar))`
    case 'bytes':
      return `lower(hex(${name}))`
    default:
      return type satisfies never
  }
}
