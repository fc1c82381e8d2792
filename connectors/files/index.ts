/** A folder with CSV, TSV, NDJSON and Parquet files. Declaration only: DuckDB is loaded by the first use of a session. */
import { z } from 'zod'
import { type Connector, parseSettings } from '../contract.ts'
import { fileSettings } from './settings.ts'

/** Absolute on the node, whatever its system is: the service that checks this may run on another. */
const AbsolutePath = z
  .string()
  .max(4_096)
  .regex(/^(?:\/|[A-Za-z]:[\\/]|\\\\)/, 'an absolute path, such as /srv/lake or D:\\lake')

export const FilesConfig = z.strictObject({
  path: AbsolutePath.meta({
    title: 'Folder',
    description: 'A folder on the node; every path of the store is below it.',
    examples: ['/srv/lake'],
  }),
  ...fileSettings,
})
export type FilesConfig = z.output<typeof FilesConfig>

export const files: Connector = {
  kind: 'files',
  title: 'Files',
  config: FilesConfig,
  can: {
    query: 'sql',
    source: { snapshot: false, guesses: true },
    sink: { modes: ['append', 'overwrite'], exactlyOnce: true, skips: true, repairs: true, repairsPublished: true, folders: true },
  },
  async open(options) {
    const { FilesSession } = await import('./session.ts')
    return new FilesSession(parseSettings(FilesConfig, options.settings), options)
  },
}
