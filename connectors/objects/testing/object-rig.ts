/** An object store for the contract suite, whichever it is. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { Secret } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { ConnectorRig, StoreAccess } from '@postern/testkit/contract/rig.ts'
import type { ObjectServer } from '@postern/testkit/object-store.ts'
import { AzureBucket } from '../../azure-blob/azure-bucket.ts'
import { AzureBlobConfig } from '../../azure-blob/index.ts'
import type { Connector } from '../../contract.ts'
import type { Part } from '../../copy-contract.ts'
import { S3Config } from '../../s3/index.ts'
import { S3Bucket, type S3Sizes } from '../../s3/s3-bucket.ts'
import { BLOCKS } from '../block-upload.ts'
import type { Bucket } from '../bucket.ts'
import { ObjectSession } from '../object-session.ts'

export const soon = (): AbortSignal => AbortSignal.timeout(30_000)

/** A bucket as the connector makes it, without anything above it; blocks may be small, so that little data has many. */
export function bucketOf({ settings, secrets = {} }: StoreAccess, blockBytes?: number): Bucket {
  const sizes: S3Sizes = {
    ...BLOCKS,
    ...(blockBytes === undefined ? {} : { firstBytes: blockBytes }),
    copyBytes: blockBytes ?? 5 * 2 ** 30,
    copyPartBytes: blockBytes ?? 2 ** 30,
  }
  const secret = (name: string) => (secrets[name] === undefined ? undefined : new Secret(secrets[name]))
  if ('bucket' in settings) {
    return new S3Bucket(
      S3Config.parse(settings),
      { secretAccessKey: secret('secretAccessKey'), sessionToken: secret('sessionToken') },
      undefined,
      sizes,
    )
  }
  const { accountKey, sasToken, connectionString } = {
    accountKey: secret('accountKey'),
    sasToken: secret('sasToken'),
    connectionString: secret('connectionString'),
  }
  return new AzureBucket(AzureBlobConfig.parse(settings), { accountKey, sasToken, connectionString }, undefined, sizes)
}

export function sessionOf(access: StoreAccess, scratch: string, blockBytes?: number): ObjectSession {
  const { settings } = access
  const config = 'bucket' in settings ? S3Config.parse(settings) : AzureBlobConfig.parse(settings)
  return new ObjectSession(config, { scratch }, bucketOf(access, blockBytes))
}

export async function keysOf(bucket: Bucket, prefix = ''): Promise<readonly string[]> {
  const keys: string[] = []
  for await (const listed of bucket.list(prefix, false, soon())) if ('key' in listed) keys.push(listed.key)
  return keys
}

export async function objectRig(connector: Connector, start: () => Promise<ObjectServer>, ending: string): Promise<ConnectorRig> {
  const server = await start()
  const scratch = await mkdtemp(join(tmpdir(), 'postern-objects-'))
  const access: StoreAccess = { ...server.access, settings: { ...server.access.settings, prefix: 'lake/é +%' } }
  const sessions: ObjectSession[] = []
  const looking = sessionOf(access, scratch)
  const bucket = bucketOf(access)
  const put = (key: string, text: string) => bucket.upload(`lake/é +%/${key}`, Readable.from([Buffer.from(text)]), 'test', soon())
  return {
    connector: {
      ...connector,
      open: async (options) => {
        const session = (await connector.open(options)) as ObjectSession
        sessions.push(session)
        return session
      },
    },
    access,
    scratch,
    failing: failing(access),
    queries: {
      one: 'select 1 as n',
      many: (rows) => `select n, repeat('x', 1000) as filler from range(1, ${rows + 1}) t(n)`,
      slow: (marker) => `select sum(hash(a.range + b.range)) as ${marker} from range(1000000) a, range(1000000) b`,
      running: async (marker) => {
        const texts = await Promise.all(sessions.map((session) => session.running()))
        return texts.flat().filter((text) => text.includes(marker)).length
      },
      change: 'create table changed (n int)',
      broken: 'selekt 1',
    },
    source: {
      missing: 'nowhere/orders.csv',
      fill: async (name, rows) => {
        const lines = Array.from({ length: rows }, (_, i) => `${i + 1},"name, ""${i + 1}"""\n`)
        const half = Math.ceil(rows / 2)
        await put(`${name}/a b+1%.csv`, `id,name\n${lines.slice(0, half).join('')}`)
        await put(`${name}/ü.csv`, `id,name\n${lines.slice(half).join('')}`)
        return `${name}/`
      },
    },
    sink: {
      where: (name) => `${name}${ending}`,
      count: (where) => countRows(looking, where),
      residue: async () => (await keysOf(bucket)).filter((key) => /(?:^|\/)\./.test(key)),
    },
    [Symbol.asyncDispose]: async () => {
      await looking[Symbol.asyncDispose]()
      bucket.close()
      await server[Symbol.asyncDispose]()
      await rm(scratch, { recursive: true, force: true })
    },
  }
}

function failing(access: StoreAccess): ConnectorRig['failing'] {
  const { settings, secrets = {} } = access
  const wrong = Object.fromEntries(Object.entries(secrets).map(([name]) => [name, Buffer.from('not the right one').toString('base64')]))
  const endpoint = 'http://127.0.0.1:1/devstoreaccount1'
  const missing = 'bucket' in settings ? { ...settings, bucket: 'no-such-bucket' } : { ...settings, container: 'no-such-container' }
  return [
    { why: 'there is no such bucket', access: { settings: missing, secrets }, code: 'FILE_MISSING' },
    { why: 'the secret is another', access: { settings, secrets: wrong }, code: 'STORE_DENIED' },
    { why: 'nothing listens there', access: { settings: { ...settings, endpoint }, secrets }, code: 'STORE_UNREACHABLE' },
  ]
}

async function countRows({ source }: ObjectSession, where: string): Promise<number> {
  try {
    const shape = await source.describe(where, {}, soon())
    const parts: readonly Part[] = await source.split(shape, { wanted: 1 })
    let rows = 0
    for (const part of parts) rows += (await source.digest({ shape, part, columns: shape.columns, checksum: false }, soon())).rows
    return rows
  } catch (cause) {
    if (Fault.from(cause).code === 'FILE_MISSING') return 0
    throw cause
  }
}
