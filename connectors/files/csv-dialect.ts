/** How the text of CSV files is spelled: settings of a store, and of one copy. */
import { Fault } from '@postern/protocol/fault.ts'
import { z } from 'zod'

/** One character that stands for itself; a tab may be written "\t" or "tab", and nothing "none". */
const mark = z.string().transform((text, context) => {
  const meant = text === '\\t' || text === 'tab' ? '\t' : text === 'none' ? '' : text
  if (/^[\x20-\x7e\t]?$/.test(meant)) return meant
  context.addIssue({ code: 'custom', message: 'one character of ASCII, "tab", or "none"' })
  return z.NEVER
})
const name = (title: string, description: string) => ({ title, description, copy: true })

/** For `z.strictObject`: every kind of store that holds files has them. */
export const DIALECT_SETTINGS = {
  delimiter: mark
    .refine((text) => text !== '', 'one character')
    .optional()
    .meta(name('Delimiter', 'Between the values of CSV. When left out: the one of , ; tab | that cuts the header into the most columns.')),
  quote: mark.optional().meta(name('Quote', 'Around values of CSV; " when left out, "none" for files without quotes.')),
  escape: mark.optional().meta(name('Escape', 'Before a quote within a quoted value; the quote itself when left out.')),
  header: z
    .union([z.boolean(), z.enum(['yes', 'no', 'true', 'false']).transform((text) => text === 'yes' || text === 'true')])
    .optional()
    .meta(
      name('Header line', 'Whether CSV begins with the names of the columns; without it they are col1, col2, … or those of `columns`.'),
    ),
  columns: z.string().max(65_536).optional().meta(name('Columns', 'Names of the columns of CSV files without a header line, with commas.')),
  nullText: z
    .string()
    .max(64)
    .optional()
    .meta(name('NULL', 'The text, not in quotes, that stands for NULL in CSV; nothing when left out.')),
  encoding: z.enum(['utf-8', 'latin1', 'utf-16']).optional().meta(name('Encoding', 'Of CSV files that are read; utf-8 when left out.')),
  skipLines: z.coerce.number().int().min(0).max(1_000_000).optional().meta(name('Lines to skip', 'At the beginning of each CSV file.')),
  comment: mark.optional().meta(name('Comment', 'Lines of CSV that begin with it are passed over.')),
  decimalSeparator: z.enum(['.', ',']).optional().meta(name('Decimal separator', 'Of numbers in CSV files that are read.')),
  dateFormat: z.string().min(1).max(64).optional().meta(name('Dates', 'How dates in CSV are written, as in strftime: %d/%m/%Y.')),
  timestampFormat: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .meta(name('Timestamps', 'How timestamps in CSV are written, as in strftime: %d/%m/%Y %H:%M:%S.')),
} as const

const Settings = z.object(DIALECT_SETTINGS)
export type DialectSettings = Partial<z.output<typeof Settings>>

/** All said. Names are those of the settings; texts are empty where there is no such character. JSON. */
export interface CsvDialect {
  /** Undefined: what the header line looks like. */
  readonly delimiter?: string
  readonly quote: string
  readonly escape: string
  readonly header: boolean
  readonly columns?: readonly string[]
  readonly nullText: string
  readonly encoding: 'utf-8' | 'latin1' | 'utf-16'
  readonly skipLines: number
  readonly comment: string
  readonly decimalSeparator: '.' | ','
  readonly dateFormat: string
  readonly timestampFormat: string
}

export function dialectOf(settings: DialectSettings, format: 'csv' | 'tsv'): CsvDialect {
  const quote = settings.quote ?? '"'
  const delimiter = settings.delimiter ?? (format === 'tsv' ? '\t' : undefined)
  const dialect: CsvDialect = {
    ...(delimiter === undefined ? {} : { delimiter }),
    quote,
    escape: quote === '' ? '' : settings.escape || quote,
    header: settings.header ?? settings.columns === undefined,
    ...(settings.columns === undefined ? {} : { columns: settings.columns.split(',').map((column) => column.trim()) }),
    nullText: settings.nullText ?? '',
    encoding: settings.encoding ?? 'utf-8',
    skipLines: settings.skipLines ?? 0,
    comment: settings.comment ?? '',
    decimalSeparator: settings.decimalSeparator ?? '.',
    dateFormat: settings.dateFormat ?? '',
    timestampFormat: settings.timestampFormat ?? '',
  }
  refuseClashes(dialect)
  return dialect
}

function refuseClashes({ delimiter, quote, escape: escaping, comment, columns, decimalSeparator }: CsvDialect): void {
  const clash = (what: string) => new Fault('INPUT_INVALID', { at: `${what} are the same character.` })
  if (delimiter !== undefined && delimiter === quote) throw clash('delimiter and quote')
  if (delimiter !== undefined && delimiter === escaping) throw clash('delimiter and escape')
  if (comment !== '' && [delimiter, quote].includes(comment)) throw clash('comment and delimiter or quote')
  if (decimalSeparator === ',' && delimiter === ',') throw clash('delimiter and decimalSeparator')
  const twice = columns?.find((column, i) => column === '' || columns.indexOf(column) !== i)
  if (twice !== undefined)
    throw new Fault('INPUT_INVALID', { at: `columns: ${twice === '' ? 'a name is empty' : `"${twice}" stands there twice`}.` })
}

/** DuckDB reads it as it is; anything else is written anew on the way. */
export function isPlainlyQuoted({ quote, escape: escaping, nullText, encoding, skipLines, comment }: CsvDialect): boolean {
  return quote === '"' && escaping === '"' && nullText === '' && encoding === 'utf-8' && skipLines === 0 && comment === ''
}

/** Numbers, days and times are spelled as every store reads them. */
export function isIso({ decimalSeparator, dateFormat, timestampFormat }: CsvDialect): boolean {
  return decimalSeparator === '.' && dateFormat === '' && timestampFormat === ''
}

/** The dialect that a name tells it by: two files of the same one need no reading to be copied. */
export function dialectName(settings: DialectSettings, format: string): string {
  return format === 'csv' || format === 'tsv' ? JSON.stringify(dialectOf(settings, format)) : ''
}
