/** Declaration only: cheap to import, no driver is loaded before `open`. */
import { isIP } from 'node:net'
import { Fault } from '@postern/protocol/fault.ts'
import { z } from 'zod'
import { type Connector, parseSettings } from '../contract.ts'
import { flag, wholeNumber } from '../setting-types.ts'

export const MysqlConfig = z.strictObject({
  host: z.string().min(1).max(255).meta({ title: 'Host', description: 'Name or address as the node sees it', audience: true }),
  port: wholeNumber(1, 65_535).default(3306).meta({ title: 'Port', audience: true }),
  database: z.string().min(1).max(64).meta({ title: 'Database' }),
  user: z.string().min(1).max(128).meta({ title: 'User' }),
  password: z.string().max(4_096).optional().meta({ title: 'Password', secret: true }),
  ssl: z
    .enum(['off', 'required', 'verify-ca', 'verify-identity'])
    .default('off')
    .meta({ title: 'TLS', description: 'verify-ca checks the certificate, verify-identity also the name in it' }),
  sslCa: z
    .string()
    .max(65_536)
    .optional()
    .meta({ title: 'Root certificate', description: 'PEM text of the authority that signed the server’s certificate' }),
  maxConnections: wholeNumber(1, 1_000).default(10).meta({ title: 'Connections', description: 'The most that one node opens at a time' }),
  tinyint1: z.enum(['bool', 'int']).default('bool').meta({
    title: 'tinyint(1) is',
    description: 'bool: true or false, and a row with any other value is refused; int: a small number',
    copy: true,
  }),
  consistent: flag.optional().meta({
    title: 'All parts show one moment',
    description:
      'The table is locked against writers while the readers of a copy begin (privilege LOCK TABLES); one node then reads all parts of it',
    copy: true,
  }),
  zeroDates: z.enum(['refuse', 'null']).default('refuse').meta({
    title: 'Zero dates are',
    description: 'What a copy makes of 0000-00-00 and 2020-00-00 for stores that have no such dates',
    copy: true,
  }),
})
export type MysqlConfig = z.output<typeof MysqlConfig>

export const mysql: Connector = {
  kind: 'mysql',
  title: 'MySQL and MariaDB',
  config: MysqlConfig,
  can: {
    query: 'sql',
    source: { snapshot: false },
    sink: { modes: ['append', 'overwrite', 'upsert'], exactlyOnce: true, skips: true, repairs: true, repairsPublished: true },
  },
  async open(options) {
    const config = parseSettings(MysqlConfig, options.settings)
    if (config.ssl === 'verify-identity' && isIP(config.host) !== 0) {
      throw new Fault('STORE_SETTINGS_INVALID', { at: 'ssl: verify-identity needs a host name, not an address' })
    }
    const { MysqlSession } = await import('./session.ts')
    return new MysqlSession({ config, password: options.secrets['password'], log: options.log, hosts: options.hosts })
  },
}
