import { Fault } from '@postern/protocol/fault.ts'

export type FileFormat = 'csv' | 'tsv' | 'ndjson' | 'json' | 'parquet' | 'binary'
export type Compression = 'none' | 'gzip' | 'zstd'

export interface Layout {
  readonly format: FileFormat
  readonly compression: Compression
}

const FORMATS: Readonly<Record<string, FileFormat>> = {
  csv: 'csv',
  tsv: 'tsv',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  json: 'json',
  parquet: 'parquet',
}
const COMPRESSIONS: Readonly<Record<string, Compression>> = { gz: 'gzip', zst: 'zstd' }

/** What the ending of a name says: "a.csv.gz" is CSV in gzip. Undefined where it says nothing of a format. */
export function layoutOf(name: string): Layout | undefined {
  const endings = name.toLowerCase().split('.').slice(1).slice(-2)
  const last = endings.at(-1) ?? ''
  const compression = COMPRESSIONS[last]
  const format = FORMATS[(compression ? endings.at(-2) : last) ?? '']
  if (!format || (format === 'parquet' && compression)) return undefined
  return { format, compression: compression ?? 'none' }
}

/** As `layoutOf`; a name without a format takes the store's, with the compression that its own ending says. */
export function layoutFor(name: string, setting: FileFormat | undefined, title: string, compression: Compression = 'none'): Layout {
  if (setting === 'binary') return { format: 'binary', compression: 'none' }
  const own = layoutOf(name)
  if (own) return own
  if (!setting) throw new Fault('FORMAT_UNKNOWN', { at: title })
  if (setting === 'parquet') return { format: 'parquet', compression: 'none' }
  return { format: setting, compression: COMPRESSIONS[name.toLowerCase().split('.').at(-1) ?? ''] ?? compression }
}

export function endingOf({ format, compression }: Layout): string {
  return format === 'binary' ? '' : `.${format}${compression === 'gzip' ? '.gz' : compression === 'zstd' ? '.zst' : ''}`
}

/** Names that readers of a folder pass over: staging, manifests, markers of other programs. */
export function isHidden(name: string): boolean {
  return name.startsWith('.') || name.startsWith('_')
}
