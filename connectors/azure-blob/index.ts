/** Azure Blob Storage. Declaration only: the SDK is loaded by `open`. */
import { z } from 'zod'
import { type Connector, parseSettings } from '../contract.ts'
import { fileSettings } from '../files/settings.ts'
import { objectSettings } from '../objects/settings.ts'

export const AzureBlobConfig = z.strictObject({
  account: z
    .string()
    .regex(/^[a-z0-9]{3,24}$/, 'the name of a storage account: 3 to 24 small letters and digits')
    .optional()
    .meta({ title: 'Account', description: 'Not needed with a connection string', examples: ['lakeaccount'], audience: true }),
  endpoint: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .optional()
    .meta({
      title: 'Endpoint',
      description: 'Where it is not https://ACCOUNT.blob.core.windows.net',
      examples: ['https://blobs.internal:10000/lakeaccount'],
      audience: true,
    }),
  container: z
    .string()
    .regex(/^(?:\$root|\$web|[a-z0-9](?:[a-z0-9]|-(?=[a-z0-9])){2,62})$/, 'the name of a container')
    .meta({ title: 'Container', examples: ['lake'] }),
  ...objectSettings,
  accountKey: z.string().max(4_096).optional().meta({ title: 'Account key', secret: true }),
  sasToken: z.string().max(4_096).optional().meta({ title: 'Shared access signature', secret: true }),
  connectionString: z.string().max(8_192).optional().meta({ title: 'Connection string', secret: true }),
  ...fileSettings,
})
export type AzureBlobConfig = z.output<typeof AzureBlobConfig>

export const azureBlob: Connector = {
  kind: 'azure-blob',
  title: 'Azure Blob Storage',
  config: AzureBlobConfig,
  can: {
    query: 'sql',
    source: { snapshot: false, guesses: true },
    sink: { modes: ['append', 'overwrite'], exactlyOnce: true, skips: true, repairs: true, repairsPublished: true, folders: true },
  },
  async open(options) {
    const config = parseSettings(AzureBlobConfig, options.settings)
    const [{ AzureBucket }, { ObjectSession }] = await Promise.all([import('./azure-bucket.ts'), import('../objects/object-session.ts')])
    const { accountKey, sasToken, connectionString } = options.secrets
    return new ObjectSession(config, options, new AzureBucket(config, { accountKey, sasToken, connectionString }, options.hosts))
  },
}
