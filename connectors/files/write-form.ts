/** How new files are written, by the settings of the store and the options of the copy. */
import { Fault } from '@postern/protocol/fault.ts'
import { type CsvDialect, dialectName, dialectOf } from './csv-dialect.ts'
import type { FileFormat } from './formats.ts'
import type { FileSettings } from './settings.ts'

/** Nothing in it: as files are written without any options. JSON. */
export interface WriteForm {
  readonly dialect?: CsvDialect
  readonly codec?: string
  readonly rowGroupRows?: number
}

export function writeFormOf(settings: FileSettings, format: FileFormat): WriteForm {
  const { codec, rowGroupRows } = settings
  if (format === 'parquet') return { ...(codec ? { codec } : {}), ...(rowGroupRows ? { rowGroupRows } : {}) }
  if (format !== 'csv' && format !== 'tsv') return {}
  if (dialectName(settings, format) === dialectName({}, format)) return {}
  const dialect = dialectOf(settings, format)
  refuseUnwritable(dialect)
  return { dialect: { ...dialect, delimiter: dialect.delimiter ?? ',' } }
}

function refuseUnwritable(dialect: CsvDialect): void {
  const { encoding, skipLines, comment, decimalSeparator, dateFormat, timestampFormat, columns, quote } = dialect
  const wrong = [
    encoding !== 'utf-8' && 'encoding (written is utf-8)',
    skipLines > 0 && 'skipLines',
    comment !== '' && 'comment',
    decimalSeparator !== '.' && 'decimalSeparator',
    dateFormat !== '' && 'dateFormat',
    timestampFormat !== '' && 'timestampFormat',
    columns !== undefined && 'columns',
    quote === '' && 'quote (none)',
  ].filter((name) => name !== false)
  if (wrong.length === 0) return
  throw new Fault('INPUT_INVALID', {
    at: `${wrong.join(', ')}: CSV is read so, but not written.`,
    remedy: 'Write through a store without these settings.',
  })
}
