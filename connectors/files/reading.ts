import type { Column } from '../contract.ts'
import type { Input } from './inputs.ts'
import { fileList, fileLiteral, identifier } from './sql.ts'
import { duckType, fromNative, readCsv, typedRows } from './types.ts'

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
  if (reading.format === 'ndjson') return typedRows(fileLiteral(pipe), columns, { header: false, delimiter: ',', dialect: 'plain' })
  const layouts = new Set(files.map(({ layout }) => layout.compression))
  const extra = `, compression = '${layouts.size === 1 ? [...layouts][0] : 'auto'}'`
  const options = { header: true, delimiter: reading.delimiter, dialect: 'quoted', extra } as const
  if (reading.declared) return typedRows(fileList(paths), columns, options)
  // Read straight in their types, so that DuckDB names the line and the column of a value that does not fit.
  const types = columns.map(({ type }) => duckType(type))
  return `(select ${columns.map(({ name }, i) => `c${i} as ${identifier(name)}`).join(', ')} from ${readCsv(fileList(paths), types, options)})`
}
