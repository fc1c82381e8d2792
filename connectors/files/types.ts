import type { Column, LogicalType } from '../copy-contract.ts'
import { fromPlain } from './plain.ts'
import { identifier, literal } from './sql.ts'

const TYPES: Readonly<Record<LogicalType['is'], string>> = {
  bool: 'BOOLEAN',
  int16: 'SMALLINT',
  int32: 'INTEGER',
  int64: 'BIGINT',
  float32: 'FLOAT',
  float64: 'DOUBLE',
  text: 'VARCHAR',
  bytes: 'BLOB',
  date: 'DATE',
  time: 'TIME',
  timestamp: 'TIMESTAMP',
  timestamptz: 'TIMESTAMPTZ',
  uuid: 'UUID',
  json: 'JSON',
  decimal: 'VARCHAR',
  other: 'VARCHAR',
}

/** The DuckDB type that holds a column. Decimals without a bound, or beyond 38 digits, stay text. */
export function duckType(type: LogicalType): string {
  return isDecimal(type) ? `DECIMAL(${type.precision},${type.scale})` : TYPES[type.is]
}

function isDecimal(type: LogicalType): type is { is: 'decimal'; precision: number; scale: number } {
  if (type.is !== 'decimal' || type.precision === undefined) return false
  const scale = type.scale ?? 0
  return type.precision >= 1 && type.precision <= 38 && scale >= 0 && scale <= type.precision && type.scale !== undefined
}

const FROM_DUCK: Readonly<Record<string, LogicalType>> = {
  BOOLEAN: { is: 'bool' },
  TINYINT: { is: 'int16' },
  SMALLINT: { is: 'int16' },
  UTINYINT: { is: 'int16' },
  INTEGER: { is: 'int32' },
  USMALLINT: { is: 'int32' },
  BIGINT: { is: 'int64' },
  UINTEGER: { is: 'int64' },
  UBIGINT: { is: 'decimal', precision: 20, scale: 0 },
  HUGEINT: { is: 'decimal' },
  UHUGEINT: { is: 'decimal' },
  BIGNUM: { is: 'decimal' },
  FLOAT: { is: 'float32' },
  DOUBLE: { is: 'float64' },
  VARCHAR: { is: 'text' },
  BLOB: { is: 'bytes' },
  DATE: { is: 'date' },
  TIME: { is: 'time' },
  TIMESTAMP: { is: 'timestamp' },
  TIMESTAMP_S: { is: 'timestamp' },
  TIMESTAMP_MS: { is: 'timestamp' },
  TIMESTAMP_NS: { is: 'timestamp' },
  'TIMESTAMP WITH TIME ZONE': { is: 'timestamptz' },
  UUID: { is: 'uuid' },
  JSON: { is: 'json' },
}

/** What a type that DESCRIBE prints is to other stores. Lists, structs and maps are JSON to them. */
export function logicalType(native: string): LogicalType {
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(native)
  if (decimal) return { is: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) }
  if (isNested(native)) return { is: 'json' }
  if (native.startsWith('ENUM(')) return { is: 'text' }
  return FROM_DUCK[native] ?? { is: 'other' }
}

function isNested(native: string): boolean {
  return native.endsWith(']') || /^(?:STRUCT|MAP|UNION|VARIANT)\b/.test(native)
}

/** SQL: a value of the type `native` as DuckDB holds the column's logical type. */
export function fromNative(reference: string, column: Column): string {
  if (column.type.is === 'json' && column.native !== 'JSON') return `cast(to_json(${reference}) as varchar)`
  if (column.native === duckType(column.type) || column.native === 'TIMESTAMP WITH TIME ZONE') return reference
  return `cast(${reference} as ${duckType(column.type)})`
}

/** SQL: a value of the column's DuckDB type as the contract's `csv` encoding wants it. Numbers and text are so already. */
export function toCsv(reference: string, type: LogicalType): string {
  const text = `cast(${reference} as varchar)`
  switch (type.is) {
    case 'bool':
      return `case when ${reference} then 't' when not ${reference} then 'f' end`
    case 'float32':
    case 'float64':
      return `case when isfinite(${reference}) then ${text} when isnan(${reference}) then 'NaN' when ${reference} > 0 then 'Infinity' when ${reference} < 0 then '-Infinity' end`
    case 'date':
      return `case when ${reference} < date '0001-01-01' then ${beforeChrist(text)} else ${text} end`
    case 'timestamp':
    case 'timestamptz':
      return `case when ${reference} < ${type.is} '0001-01-01 00:00:00' then ${beforeChrist(text)} else ${text} end`
    case 'bytes':
      return `'\\x' || lower(hex(${reference}))`
    case 'decimal':
      // A decimal as wide as its scale is printed without the zero before the point.
      return isDecimal(type) && type.precision === type.scale ? `cast(${reference} as decimal(38,${type.scale}))` : reference
    default:
      return reference
  }
}

/** DuckDB prints "0044-03-15 (BC) 10:00:00", others "0044-03-15 10:00:00 BC". */
function beforeChrist(text: string): string {
  return `regexp_replace(${text}, '^(.*) \\(BC\\)(.*)$', '\\1\\2 BC')`
}

/** The type as which `read_csv` is to read a value of the `csv` encoding; `fromCsv` makes the rest of the way. */
function csvType(type: LogicalType): string {
  const direct: readonly LogicalType['is'][] = ['bool', 'int16', 'int32', 'int64', 'float32', 'float64', 'decimal', 'time', 'uuid']
  return direct.includes(type.is) ? duckType(type) : 'VARCHAR'
}

function fromCsv(reference: string, type: LogicalType): string {
  switch (type.is) {
    case 'date':
    case 'timestamp':
    case 'timestamptz':
      return `cast(case when ends_with(${reference}, ' BC') then regexp_replace(${reference}, '^(\\S+)(.*) BC$', '\\1 (BC)\\2') else ${reference} end as ${duckType(type)})`
    case 'bytes':
      return `unhex(substr(${reference}, 3))`
    case 'json':
      return `cast(${reference} as json)`
    default:
      return reference
  }
}

/** How text rows are written: with quotes as in RFC 4180, or in the plain dialect of plain.ts. */
export type Dialect = 'quoted' | 'plain'

export interface ReadCsv {
  readonly header: boolean
  readonly delimiter: string
  readonly dialect: Dialect
  /** More options of `read_csv`. */
  readonly extra?: string
}

/** How rows come through a pipe. */
export const PLAIN_ROWS: ReadCsv = { header: false, delimiter: ',', dialect: 'plain' }

/** `read_csv` without any guessing, its columns named c0, c1, …: names of people may differ in case only. */
export function readCsv(file: string, types: readonly string[], { header, delimiter, dialect, extra = '' }: ReadCsv): string {
  const columns = types.map((type, i) => `'c${i}': ${literal(type)}`).join(', ')
  // In parallel DuckDB guesses where a row begins, and quoted values of several lines can make it guess wrong.
  const quotes = dialect === 'plain' ? "quote = '', escape = ''" : `quote = '"', escape = '"', parallel = false`
  return `read_csv(${file}, auto_detect = false, header = ${header}, delim = ${literal(delimiter)}, ${quotes}, nullstr = '', allow_quoted_nulls = false, columns = {${columns}}${CSV_LIMITS}${extra})`
}

/** The longest row that is read, in bytes, and the buffer that must hold it. */
const CSV_LIMITS = ', max_line_size = 16777216, buffer_size = 33554432'

/** SQL: rows in the `csv` encoding, or in the plain dialect of it, typed, under the columns' names. */
export function typedRows(file: string, columns: readonly Column[], options: ReadCsv): string {
  const read = readCsv(
    file,
    columns.map(({ type }) => csvType(type)),
    options,
  )
  const cells = columns.map(({ name, type }, i) => `${fromCsv(cellOf(i, type, options.dialect), type)} as ${identifier(name)}`)
  return `(select ${cells.join(', ')} from ${read})`
}

/** What a row must be to be taken. */
export interface Taken {
  /** Each value is of its column's type, as `typedRows` makes it. */
  readonly typed: boolean
  /** SQL: a condition on a value under which it is not taken all the same. */
  readonly refused?: (cell: string, type: LogicalType) => string | undefined
}

/**
 * SQL: of rows that `typedRows` or `textRows` would read, the number of the first that is not taken and of the column with the value,
 * from 0; NULLs where all are. What `read_csv` itself finds is an error that says the line.
 */
export function firstMisfit(file: string, columns: readonly Column[], options: ReadCsv, { typed, refused }: Taken): string {
  const cases = columns.flatMap(({ type }, i) => {
    const cell = cellOf(i, type, options.dialect)
    const value = typed ? fromCsv(cell, type) : cell
    const wrong = refused?.(cell, type)
    return [
      ...(value === cell ? [] : [`when c${i} is not null and try(${value}) is null then ${i}`]),
      ...(wrong === undefined ? [] : [`when ${wrong} then ${i}`]),
    ]
  })
  const types = columns.map(({ type }) => (typed ? csvType(type) : 'VARCHAR'))
  return misfitOf(readCsv(file, types, options), columns.length, cases)
}

/** SQL: the same, of a relation of columns c0, c1, …. All cells are read. */
export function misfitOf(rows: string, columns: number, cases: readonly string[]): string {
  const bad = cases.length === 0 ? 'cast(null as integer)' : `case ${cases.join(' ')} end`
  const all = Array.from({ length: columns }, (_, i) => `count(c${i})`).join(' + ')
  const numbered = `(select row_number() over () as r, ${bad} as bad, * from ${rows})`
  const first = (what: string) => `cast(${what} filter (where bad is not null) as varchar)`
  return `select ${first('min(r)')}, ${first('arg_min(bad, r)')}, cast(${all} as varchar) from ${numbered}`
}

/** SQL: the same as text c0, c1, …. */
export function textRows(file: string, columns: readonly Column[], options: ReadCsv): string {
  const read = readCsv(
    file,
    columns.map(() => 'VARCHAR'),
    options,
  )
  return `(select ${columns.map(({ type }, i) => `${cellOf(i, type, options.dialect)} as c${i}`).join(', ')} from ${read})`
}

/** The type as which a value is read that is spelled as its file's dialect says; `spelledCell` makes the rest of the way. */
export function spelledType(type: LogicalType): string {
  return type.is === 'bytes' ? 'VARCHAR' : duckType(type)
}

/** SQL: column i of `readCsv` with `spelledType`, in the column's DuckDB type. */
export function spelledCell(i: number, type: LogicalType, dialect: Dialect, decimalSeparator: '.' | ','): string {
  const cell = cellOf(i, type, dialect)
  if (type.is === 'bytes') return fromCsv(cell, type)
  return type.is === 'decimal' && !isDecimal(type) && decimalSeparator === ',' ? `replace(${cell}, ',', '.')` : cell
}

/** Numbers, days and the like hold nothing that the plain dialect escapes. */
function cellOf(i: number, type: LogicalType, dialect: Dialect): string {
  return dialect === 'plain' && ['text', 'json', 'other'].includes(type.is) ? fromPlain(`c${i}`) : `c${i}`
}
