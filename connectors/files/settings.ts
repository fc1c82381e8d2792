/** Settings that every store of files has, wherever its files are. */
import { z } from 'zod'

/** Settings may come as text from a command line. */
export const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max)

export const fileSettings = {
  format: z
    .enum(['csv', 'tsv', 'ndjson', 'parquet'])
    .optional()
    .meta({ title: 'Format', description: 'For files whose ending does not say it, and for new folders.' }),
  compression: z
    .enum(['none', 'gzip', 'zstd'])
    .optional()
    .meta({ title: 'Compression', description: 'Of new text files in folders that take their format from the setting.' }),
  maxFiles: count(1, 10_000).default(10_000).meta({ title: 'The most files that one copy reads' }),
  memoryMb: count(64, 1_048_576).default(512).meta({ title: 'The most memory for reading and writing files, in MB' }),
  maxQueries: count(1, 64).default(8).meta({ title: 'Queries', description: 'The most that one node runs at a time' }),
}

const FileSettings = z.object(fileSettings)
export type FileSettings = z.output<typeof FileSettings>
