/** A folder with CSV, TSV, NDJSON and Parquet files. Declaration only: DuckDB is loaded by the first use of a session. */
import { z } from 'zod'
import type { Connector } from '../contract.ts'

/** Absolute on the node, whatever its system is: the service that checks this may run on another. */
const AbsolutePath = z
  .string()
  .max(4_096)
  .regex(/^(?:\/|[A-Za-z]:[\\/]|\\\\)/, 'an absolute path, such as /srv/lake or D:\\lake')

/** Settings may come as text from a command line. */
const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max)

export const FilesConfig = z.strictObject({
  path: AbsolutePath.meta({ title: 'Folder', description: 'A folder on the node; every path of the store is below it.' }),
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
})
export type FilesConfig = z.output<typeof FilesConfig>

export const files: Connector = {
  kind: 'files',
  title: 'Files',
  config: FilesConfig,
  can: { query: 'sql', source: { snapshot: false }, sink: { modes: ['append', 'overwrite'], exactlyOnce: true } },
  async open(options) {
    const { FilesSession } = await import('./session.ts')
    return new FilesSession(FilesConfig.parse(options.settings), options)
  },
}
