/** What is in an object server of the tests, by the vendor's own SDK and none of our code. */
import { buffer } from 'node:stream/consumers'
import { GetObjectCommand, ListMultipartUploadsCommand, ListObjectsV2Command, ListPartsCommand, S3Client } from '@aws-sdk/client-s3'
import { azureContainer, type ObjectServer, S3_KEYS } from './object-store.ts'

/** Blocks that are no object yet. */
export interface Unfinished {
  readonly key: string
  readonly blocks: number
}

/** Of S3 each upload, of Azure each name under which blocks wait. */
export async function unfinished(server: ObjectServer): Promise<readonly Unfinished[]> {
  if (isS3(server)) {
    return withS3(server, async (client) => {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }))
      const count = async ({ Key = '', UploadId }: (typeof Uploads)[number]) => {
        const { Parts = [] } = await client.send(new ListPartsCommand({ Bucket, Key, UploadId }))
        return { key: Key, blocks: Parts.length }
      }
      return Promise.all(Uploads.map(count))
    })
  }
  const container = await azureContainer(server.endpoint)
  const waiting = new Set<string>()
  for await (const { name } of container.listBlobsFlat({ includeUncommitedBlobs: true })) waiting.add(name)
  for await (const { name } of container.listBlobsFlat()) waiting.delete(name)
  const count = async (key: string) => {
    const { uncommittedBlocks = [] } = await container.getBlockBlobClient(key).getBlockList('uncommitted')
    return { key, blocks: uncommittedBlocks.length }
  }
  return Promise.all([...waiting].map(count))
}

/** All that readers see. */
export async function objectKeys(server: ObjectServer): Promise<readonly string[]> {
  if (isS3(server)) {
    return withS3(server, async (client) => {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }))
      return Contents.map(({ Key = '' }) => Key)
    })
  }
  const keys: string[] = []
  for await (const { name } of (await azureContainer(server.endpoint)).listBlobsFlat()) keys.push(name)
  return keys
}

export async function objectBytes(server: ObjectServer, key: string): Promise<Buffer> {
  if (isS3(server)) {
    return withS3(server, async (client) => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: key }))
      return Buffer.from((await Body?.transformToByteArray()) ?? [])
    })
  }
  const { readableStreamBody } = await (await azureContainer(server.endpoint)).getBlobClient(key).download()
  return readableStreamBody ? await buffer(readableStreamBody) : Buffer.alloc(0)
}

const Bucket = 'bucket'

function isS3({ access }: ObjectServer): boolean {
  return 'bucket' in access.settings
}

async function withS3<Result>({ endpoint }: ObjectServer, ask: (client: S3Client) => Promise<Result>): Promise<Result> {
  const client = new S3Client({ endpoint, region: 'us-east-1', credentials: S3_KEYS, forcePathStyle: true })
  try {
    return await ask(client)
  } finally {
    client.destroy()
  }
}
