/** Declaration only: cheap to import, no driver is loaded before `open`. */
import { z } from 'zod'
import { type Connector, parseSettings } from '../contract.ts'
import { wholeNumber } from '../setting-types.ts'

export const PostgresConfig = z.strictObject({
  host: z
    .string()
    .min(1)
    .max(255)
    .meta({ title: 'Host', description: 'Name or address as the node sees it, or the folder of a unix socket', audience: true }),
  port: wholeNumber(1, 65_535).default(5432).meta({ title: 'Port', audience: true }),
  database: z.string().min(1).max(63).meta({ title: 'Database' }),
  user: z.string().min(1).max(63).meta({ title: 'User' }),
  password: z.string().max(4_096).optional().meta({ title: 'Password', secret: true }),
  sslmode: z.enum(['disable', 'prefer', 'require', 'verify-ca', 'verify-full']).default('prefer').meta({ title: 'TLS' }),
  sslrootcert: z
    .string()
    .max(65_536)
    .optional()
    .meta({ title: 'Root certificate', description: 'PEM text of the authority that signed the server’s certificate' }),
  maxConnections: wholeNumber(1, 1_000).default(10).meta({ title: 'Connections', description: 'The most that one node opens at a time' }),
})
export type PostgresConfig = z.output<typeof PostgresConfig>

export const postgres: Connector = {
  kind: 'postgres',
  title: 'PostgreSQL',
  config: PostgresConfig,
  can: {
    query: 'sql',
    wire: 'postgres',
    source: { snapshot: true },
    sink: { modes: ['append', 'overwrite', 'upsert'], exactlyOnce: true, skips: true, repairs: true, repairsPublished: true },
  },
  async open(options) {
    const config = parseSettings(PostgresConfig, options.settings)
    const { PostgresSession } = await import('./session.ts')
    return new PostgresSession({ config, password: options.secrets['password'], log: options.log, hosts: options.hosts })
  },
}
