/** How a target of files is written, and what it refuses. Pure. */
import { basename } from 'node:path'
import { Fault } from '@postern/protocol/fault.ts'
import { z } from 'zod'
import type { Column, Shape } from '../copy-contract.ts'
import { type CsvDialect, dialectOf } from './csv-dialect.ts'
import { type FileFormat, type Layout, layoutFor, layoutOf } from './formats.ts'
import { nativesOf, type Reading } from './reading.ts'
import type { FileSettings } from './settings.ts'
import type { TargetOwn } from './sink.ts'
import { duckType } from './types.ts'
import type { WriteForm } from './write-form.ts'

export function layoutOfTarget(where: string, single: boolean, { format, compression }: FileSettings): Layout {
  const name = basename(where)
  if (format === 'binary' && !layoutOf(name)) throw new Fault('FORMAT_UNKNOWN', { at: `${where}: rows cannot be written as binary files` })
  if (single || layoutOf(name) || format) return layoutFor(name, format, where, single ? 'none' : compression)
  throw new Fault('FORMAT_UNKNOWN', {
    at: where,
    remedy: `Give the folder an ending, such as ${name}.parquet/ or ${name}.csv.gz/, or set format of the store.`,
  })
}

/** Of a source of files, whichever store of whichever gateway it is. */
const AsIsSource = z.object({
  format: z.enum(['csv', 'tsv', 'ndjson', 'json', 'parquet', 'binary']),
  rows: z.number().nullable().default(null),
})

export function layoutOfSource(shape: Shape, where: string): Layout {
  const source = AsIsSource.safeParse(shape.own)
  if (!source.success) throw new Fault('COPY_UNSUPPORTED', { at: `${shape.title} → ${where}: these are no files.` })
  return { format: source.data.format, compression: layoutOf(basename(where))?.compression ?? 'none' }
}

export function asIsFacts(shape: Shape): Pick<TargetOwn, 'asIs' | 'dialect'> {
  const source = shape.own as { readonly rows?: number | null; readonly dialect?: CsvDialect }
  return { asIs: { rows: source.rows ?? null }, ...(source.dialect ? { dialect: source.dialect } : {}) }
}

export function formFacts(form: WriteForm): Pick<TargetOwn, 'form' | 'dialect'> {
  if (Object.keys(form).length === 0) return {}
  return { form, ...(form.dialect ? { dialect: form.dialect } : {}) }
}

export function readingOf({ layout: { format }, dialect }: TargetOwn, columns: readonly Column[]): Reading {
  if (format === 'parquet') return { format, natives: nativesOf(columns) }
  if (format === 'ndjson' || format === 'json') return { format, declared: true }
  if (format === 'binary') throw new Fault('INTERNAL', { at: 'binary files have no rows' })
  const delimiter = dialect?.delimiter ?? (format === 'tsv' ? '\t' : ',')
  return { format, delimiter, declared: true, dialect: dialect ?? dialectOf({}, format) }
}

export function refuseColumns(columns: readonly Column[], format: FileFormat): void {
  if (columns.length === 0) throw new Fault('COLUMN_MISMATCH', { at: 'The source has no columns.' })
  if (format === 'csv') return
  const seen = new Map<string, string>()
  for (const { name } of columns) {
    const same = seen.get(name.toLowerCase())
    if (same !== undefined) {
      throw new Fault('COLUMN_MISMATCH', { at: `Columns "${same}" and "${name}" differ in case only, which ${format} files cannot hold.` })
    }
    seen.set(name.toLowerCase(), name)
  }
}

export function notesOn(columns: readonly Column[], { format }: Layout): readonly string[] {
  if (format !== 'parquet') return []
  const asText = columns
    .filter(({ type }) => (type.is === 'decimal' || type.is === 'other') && duckType(type) === 'VARCHAR')
    .map(({ name }) => name)
  return asText.length === 0 ? [] : [`Stored as text, since Parquet has no type for them: ${asText.join(', ')}.`]
}

/** Lines of JSON hold a document on one line: the same value, but not the same text (engine/comparable.ts). */
export function nativeIn({ format }: Layout, { type }: Column): string {
  if (format === 'parquet') return duckType(type)
  return format === 'ndjson' && type.is === 'json' ? 'json line' : 'text'
}
