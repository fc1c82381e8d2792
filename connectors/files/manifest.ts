import { Fault } from '@postern/protocol/fault.ts'
import { z } from 'zod'
import { ColumnJson } from '../column-json.ts'
import type { Column } from '../copy-contract.ts'
import type { CsvDialect } from './csv-dialect.ts'
import { isHidden } from './formats.ts'
import type { PlaceView } from './place.ts'

export const MANIFEST = '_manifest.json'
/** Of one folder: who reads it takes them all into memory. */
export const MOST_FILES = 100_000

const DialectSchema = z.object({
  delimiter: z.string().exactOptional(),
  quote: z.string(),
  escape: z.string(),
  header: z.boolean(),
  columns: z.array(z.string()).exactOptional(),
  nullText: z.string(),
  encoding: z.enum(['utf-8', 'latin1', 'utf-16']),
  skipLines: z.number(),
  comment: z.string(),
  decimalSeparator: z.enum(['.', ',']),
  dateFormat: z.string(),
  timestampFormat: z.string(),
})

const ManifestSchema = z.object({
  version: z.literal(1),
  run: z.string().max(200),
  format: z.enum(['csv', 'tsv', 'ndjson', 'json', 'parquet', 'binary']),
  compression: z.enum(['none', 'gzip', 'zstd']),
  /** How CSV is spelled, where not as in RFC 4180 with commas. */
  dialect: DialectSchema.optional(),
  /** Null where files were copied as they were and nobody has counted. */
  rows: z.number().nullable(),
  bytes: z.number(),
  columns: z.array(ColumnJson).max(10_000),
  /** Those of the columns that are not in the files: folders stand for them, in this order. */
  partitionBy: z.array(z.string()).optional(),
  files: z
    .array(
      z.object({
        name: z.string().max(1_024),
        rows: z.number().nullable(),
        bytes: z.number(),
        sha256: z.string().max(64),
        /** Of the copy's plan. */
        part: z.number().optional(),
        /** The name in the source, of a file that was copied as it was and could not keep it. */
        from: z.string().max(1_024).optional(),
      }),
    )
    .max(MOST_FILES),
  /** Tasks that wrote parts of it again, after it was published. */
  repaired: z
    .array(
      z.object({ task: z.string().max(200), attempt: z.int(), rows: z.number(), bytes: z.number(), skipped: z.number().exactOptional() }),
    )
    .optional(),
})

/** What a finished copy left in its folder: which files belong to it, and the types of their columns. */
export interface Manifest extends Omit<z.output<typeof ManifestSchema>, 'columns' | 'dialect'> {
  readonly dialect?: CsvDialect | undefined
  readonly columns: readonly Column[]
}

/** The manifest of a folder (`title` ends in "/"), or undefined. Names in it stay in the folder. */
export async function readManifest(place: PlaceView, folder: string, title: string, signal: AbortSignal): Promise<Manifest | undefined> {
  const text = await place.text(folder === '' ? MANIFEST : `${folder.replace(/\/$/, '')}/${MANIFEST}`, signal)
  if (text === undefined) return undefined
  const parsed = ManifestSchema.safeParse(json(text))
  if (!parsed.success) {
    throw new Fault('INPUT_INVALID', {
      at: `${title}${MANIFEST} is not a manifest that this version knows.`,
      remedy: 'Take it away if another program wrote it.',
    })
  }
  const away = parsed.data.files.find(({ name }) => name.includes('\\') || name.split('/').some((step) => step === '' || isHidden(step)))
  if (away) throw new Fault('PATH_OUTSIDE', { at: `${title}${MANIFEST} names "${away.name}"` })
  return parsed.data as Manifest
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
