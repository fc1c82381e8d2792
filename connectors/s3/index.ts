/** Amazon S3 and whatever speaks its protocol. Declaration only: the SDK is loaded by `open`. */
import { z } from 'zod'
import { type Connector, parseSettings } from '../contract.ts'
import { fileSettings } from '../files/settings.ts'
import { objectSettings } from '../objects/settings.ts'
import { flag } from '../setting-types.ts'

export const S3Config = z.strictObject({
  endpoint: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .optional()
    .meta({
      title: 'Endpoint',
      description: 'https://… of a server other than Amazon’s',
      examples: ['https://minio.internal:9000'],
      audience: true,
    }),
  region: z.string().min(1).max(63).default('us-east-1').meta({ title: 'Region', audience: true }),
  bucket: z
    .string()
    .regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]{1,254}$/, 'a name of letters, digits, ".", "_" and "-"')
    .meta({ title: 'Bucket', examples: ['lake'] }),
  ...objectSettings,
  accessKeyId: z.string().min(1).max(256).meta({ title: 'Access key id' }),
  secretAccessKey: z.string().max(4_096).optional().meta({ title: 'Secret access key', secret: true }),
  sessionToken: z.string().max(16_384).optional().meta({ title: 'Session token', secret: true }),
  pathStyle: flag.optional().meta({
    title: 'Path style',
    description: 'https://host/bucket/… in the place of https://bucket.host/…; yes where an endpoint is set, unless said otherwise',
  }),
  ...fileSettings,
})
export type S3Config = z.output<typeof S3Config>

export const s3: Connector = {
  kind: 's3',
  title: 'S3',
  config: S3Config,
  can: {
    query: 'sql',
    source: { snapshot: false, guesses: true },
    sink: { modes: ['append', 'overwrite'], exactlyOnce: true, skips: true, repairs: true, repairsPublished: true, folders: true },
  },
  async open(options) {
    const config = parseSettings(S3Config, options.settings)
    const [{ S3Bucket }, { ObjectSession }] = await Promise.all([import('./s3-bucket.ts'), import('../objects/object-session.ts')])
    const { secretAccessKey, sessionToken } = options.secrets
    return new ObjectSession(config, options, new S3Bucket(config, { secretAccessKey, sessionToken }, options.hosts))
  },
}
