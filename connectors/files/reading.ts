import type { Column } from '../contract.ts'
import type { Input } from './inputs.ts'
import { fileList, fileLiteral, identifier } from './sql.ts'
import { csvType, duckType, fromNative, readCsv, typedFromCsv } from './types.ts'

/** How the files of a source are read. */
export type Reading =
  | { readonly format: 'parquet'; readonly natives: readonly { readonly name: string; readonly native: string }[] }
  | { readonly format: 'csv' | 'tsv'; readonly delimiter: string; readonly declared: boolean }
  /** As the `csv` encoding, through a pipe. `declared`: the types are those of a manifest, not guessed. */
  | { readonly format: 'ndjson'; readonly declared: boolean }

/** SQL: a relation with the columns under their names and in their DuckDB types. */
export function relationOf(
  files: readonly (Input & { readonly absolute: string })[],
  reading: Reading,
  columns: readonly Column[],
  pipe = '',
  rows?: { readonly from: number; readonly to: number },
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
  if (reading.format === 'ndjson') {
    const from = readCsv(
      fileLiteral(pipe),
      columns.map(({ type }) => csvType(type)),
      { header: false, delimiter: ',' },
    )
    return `(select ${typedFromCsv(columns, true)} from ${from})`
  }
  const compression = files[0] ? { none: 'none', gzip: 'gzip', zstd: 'zstd' }[files[0].layout.compression] : 'auto'
  const extra = `, compression = '${compression}'`
  if (reading.declared) {
    const from = readCsv(
      fileList(paths),
      columns.map(({ type }) => csvType(type)),
      { header: true, delimiter: reading.delimiter, extra },
    )
    return `(select ${typedFromCsv(columns, true)} from ${from})`
  }
  // Read straight in their types, so that DuckDB names the line and the column of a value that does not fit.
  const from = readCsv(
    fileList(paths),
    columns.map(({ type }) => duckType(type)),
    { header: true, delimiter: reading.delimiter, extra },
  )
  return `(select ${columns.map(({ name }, i) => `c${i} as ${identifier(name)}`).join(', ')} from ${from})`
}
