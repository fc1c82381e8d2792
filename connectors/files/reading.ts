import type { Column } from '../copy-contract.ts'
import { type CsvDialect, isPlainlyQuoted } from './csv-dialect.ts'
import type { Input } from './inputs.ts'
import { fileList, fileLiteral, identifier, literal } from './sql.ts'
import {
  duckType,
  firstMisfit,
  fromNative,
  misfitOf,
  PLAIN_ROWS,
  type ReadCsv,
  readCsv,
  spelledCell,
  spelledType,
  typedRows,
} from './types.ts'

/** How the files of a source are read. */
export type Reading =
  | { readonly format: 'parquet'; readonly natives: readonly { readonly name: string; readonly native: string }[] }
  | CsvReading
  /** As the `csv` encoding, through a pipe. `declared`: the types are those of a manifest, not guessed. */
  | { readonly format: 'ndjson'; readonly declared: boolean }
  | { readonly format: 'json'; readonly declared: boolean }

export interface CsvReading {
  readonly format: 'csv' | 'tsv'
  readonly delimiter: string
  /** The types are those of a manifest, values are spelled as in the `csv` encoding. */
  readonly declared: boolean
  readonly dialect: CsvDialect
}

export interface RowRange {
  readonly from: number
  readonly to: number
}

/** Whether rows come to DuckDB through a pipe, in the plain dialect, and not from the files themselves. */
export function isPiped(reading: Reading): boolean {
  if (reading.format === 'parquet') return false
  return reading.format === 'ndjson' || reading.format === 'json' || !isPlainlyQuoted(reading.dialect)
}

/** SQL: a relation with the columns under their names and in their DuckDB types; out of `pipe` where one is given. */
export function relationOf(
  files: readonly (Input & { readonly absolute: string })[],
  reading: Reading,
  columns: readonly Column[],
  pipe = '',
  rows?: RowRange,
): string {
  const paths = files.map(({ absolute }) => absolute)
  if (reading.format === 'parquet') {
    const natives = new Map(reading.natives.map(({ name, native }) => [name, native]))
    const list = columns.map(
      (c) => `${fromNative(identifier(c.name), { ...c, native: natives.get(c.name) ?? c.native })} as ${identifier(c.name)}`,
    )
    const range = rows ? ` where file_row_number >= ${rows.from} and file_row_number < ${rows.to}` : ''
    return `(select ${list.join(', ')} from read_parquet(${fileList(paths)}${rows ? ', file_row_number = true' : ''})${range})`
  }
  if (reading.format === 'ndjson' || reading.format === 'json') return typedRows(fileLiteral(pipe), columns, PLAIN_ROWS)
  if (pipe !== '')
    return reading.declared
      ? typedRows(fileLiteral(pipe), columns, PLAIN_ROWS)
      : spelledRows(fileLiteral(pipe), reading, columns, PLAIN_ROWS)
  const layouts = new Set(files.map(({ layout }) => layout.compression))
  const extra = `, compression = '${layouts.size === 1 ? [...layouts][0] : 'auto'}'`
  const options = { header: reading.dialect.header, delimiter: reading.delimiter, dialect: 'quoted', extra } as const
  return reading.declared ? typedRows(fileList(paths), columns, options) : spelledRows(fileList(paths), reading, columns, options)
}

/** Read straight in their types, so that DuckDB names the line and the column of a value that does not fit. */
function spelledRows(file: string, reading: CsvReading, columns: readonly Column[], options: ReadCsv): string {
  const { decimalSeparator } = reading.dialect
  const cells = columns.map(({ name, type }, i) => `${spelledCell(i, type, options.dialect, decimalSeparator)} as ${identifier(name)}`)
  return `(select ${cells.join(', ')} from ${spelledCsv(file, reading, columns, options)})`
}

function spelledCsv(file: string, { dialect }: CsvReading, columns: readonly Column[], options: ReadCsv): string {
  const { decimalSeparator, dateFormat, timestampFormat } = dialect
  const extra = [
    options.extra ?? '',
    decimalSeparator === '.' ? '' : `, decimal_separator = ${literal(decimalSeparator)}`,
    dateFormat === '' ? '' : `, dateformat = ${literal(dateFormat)}`,
    timestampFormat === '' ? '' : `, timestampformat = ${literal(timestampFormat)}`,
  ].join('')
  const types = columns.map(({ type }) => spelledType(type))
  return readCsv(file, types, { ...options, extra })
}

/** SQL that tells rows of text which this reading does not take (keep-rows.ts). */
export function triedAs(reading: Exclude<Reading, { format: 'parquet' }>, columns: readonly Column[]): (path: string) => string {
  if (reading.format === 'ndjson' || reading.format === 'json' || reading.declared) {
    return (path) => firstMisfit(fileLiteral(path), columns, PLAIN_ROWS, { typed: true })
  }
  const { decimalSeparator } = reading.dialect
  const cases = columns.flatMap(({ type }, i) => {
    const bytes = type.is === 'bytes' ? spelledCell(i, type, 'plain', decimalSeparator) : undefined
    return bytes === undefined ? [] : [`when c${i} is not null and try(${bytes}) is null then ${i}`]
  })
  return (path) => misfitOf(spelledCsv(fileLiteral(path), reading, columns, PLAIN_ROWS), columns.length, cases)
}

/** The columns of a manifest's Parquet files, or of those that were just written. */
export function nativesOf(columns: readonly Column[]): readonly { readonly name: string; readonly native: string }[] {
  return columns.map(({ name, type }) => ({ name, native: duckType(type) }))
}
