/** Settings that every store of files has, wherever its files are. */
import { z } from 'zod'
import { flag } from '../setting-types.ts'
import { DIALECT_SETTINGS } from './csv-dialect.ts'

/** Settings may come as text from a command line. */
export const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max)

export const fileSettings = {
  format: z.enum(['csv', 'tsv', 'ndjson', 'json', 'parquet', 'binary']).optional().meta({
    title: 'Format',
    description:
      'For files whose ending does not say it, and for new folders. Of one copy: of all its files; `binary` is never looked into.',
    copy: true,
  }),
  compression: z
    .enum(['none', 'gzip', 'zstd'])
    .optional()
    .meta({ title: 'Compression', description: 'Of new text files in folders that take their format from the setting.', copy: true }),
  ...DIALECT_SETTINGS,
  partitions: flag.optional().meta({
    title: 'Partitions',
    description: 'Whether folders named like year=2026/ below the path are columns of their files.',
    copy: true,
  }),
  rowGroupRows: count(2_048, 100_000_000).optional().meta({
    title: 'Rows of a row group',
    description: 'Of new Parquet files; by size (64 MB) when left out.',
    copy: true,
  }),
  codec: z
    .enum(['zstd', 'snappy', 'gzip', 'lz4', 'uncompressed'])
    .optional()
    .meta({ title: 'Parquet codec', description: 'Of new Parquet files; zstd when left out.', copy: true }),
  asIs: flag.optional().meta({
    title: 'As it is',
    description: 'Whether files that have the form of the target already are copied without being read (default), or their rows.',
    copy: true,
  }),
  maxFiles: count(1, 100_000).default(10_000).meta({ title: 'The most files that one copy reads' }),
  memoryMb: count(64, 1_048_576).default(512).meta({ title: 'The most memory for reading and writing files, in MB' }),
  maxQueries: count(1, 64).default(8).meta({ title: 'Queries', description: 'The most that one node runs at a time' }),
}

export const FileSettingsSchema = z.object(fileSettings)
export type FileSettings = z.output<typeof FileSettingsSchema>
