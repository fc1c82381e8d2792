/** A bucket as an end of chaos: read by the vendor's SDK into a folder, where DuckDB reads it. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GetObjectCommand, ListObjectsV2Command, NoSuchKey, S3Client } from '@aws-sdk/client-s3'
import type { Cluster } from '../cluster.ts'
import { type TestFolder, testFolder } from '../folder.ts'
import { type ObjectServer, S3_KEYS, s3Server } from '../object-store.ts'

const Bucket = 'bucket'

export class ChaosS3 implements AsyncDisposable {
  readonly #server: ObjectServer
  readonly #folder: TestFolder
  readonly #client: S3Client
  #copies = 0

  private constructor(server: ObjectServer, folder: TestFolder) {
    this.#server = server
    this.#folder = folder
    this.#client = new S3Client({ endpoint: server.endpoint, region: 'us-east-1', credentials: S3_KEYS, forcePathStyle: true })
  }

  static async make(cluster: Cluster): Promise<ChaosS3> {
    const s3 = new ChaosS3(await s3Server(), await testFolder())
    await cluster.store('s3', 's3', s3.#server.access)
    return s3
  }

  /** What the manifest below `prefix` lists, in a folder of its own while `look` runs; undefined without one. */
  async look<Result>(prefix: string, look: (folder: string) => Promise<Result>): Promise<Result | undefined> {
    const manifest = await this.#get(`${prefix}/_manifest.json`)
    if (manifest === undefined) return undefined
    this.#copies += 1
    const folder = join(this.#folder.path, String(this.#copies), prefix)
    await mkdir(folder, { recursive: true })
    try {
      await writeFile(join(folder, '_manifest.json'), manifest)
      const { files } = JSON.parse(manifest.toString()) as { readonly files: readonly { readonly name: string }[] }
      for (const { name } of files) {
        const bytes = await this.#get(`${prefix}/${name}`)
        if (bytes === undefined) throw new Error(`${prefix}: the manifest names ${name}, which is not there.`)
        await writeFile(join(folder, name), bytes)
      }
      return await look(folder)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  /** Objects of rooms that belong to this target. */
  async leftovers(prefix: string): Promise<readonly string[]> {
    const { Contents = [] } = await this.#client.send(new ListObjectsV2Command({ Bucket, Prefix: `.${prefix}.postern-` }))
    return Contents.map(({ Key = '' }) => Key)
  }

  async #get(Key: string): Promise<Buffer | undefined> {
    try {
      const { Body } = await this.#client.send(new GetObjectCommand({ Bucket, Key }))
      return Buffer.from((await Body?.transformToByteArray()) ?? [])
    } catch (cause) {
      if (cause instanceof NoSuchKey) return undefined
      throw cause
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy()
    await this.#server[Symbol.asyncDispose]()
    await this.#folder[Symbol.asyncDispose]()
  }
}
