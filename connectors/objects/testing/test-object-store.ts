/** An object store with sessions of its own, and a bucket to look into. Blocks are small, so that little data has many. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { azurite, type ObjectServer, s3Server } from '@postern/testkit/object-store.ts'
import type { Bucket } from '../bucket.ts'
import type { ObjectSession } from '../object-session.ts'
import { bucketOf, keysOf, sessionOf, soon } from './object-rig.ts'

/** S3 wants at least 5 MB of each block but the last; the test server does not. */
export const BLOCK_BYTES = 64 << 10

export const VENDORS = [
  ['S3', s3Server],
  ['Azure Blob Storage', azurite],
] as const

export class TestObjectStore implements AsyncDisposable {
  readonly server: ObjectServer
  readonly bucket: Bucket
  readonly scratch: string
  readonly #opened: ObjectSession[] = []

  private constructor(server: ObjectServer, scratch: string) {
    this.server = server
    this.bucket = bucketOf(server.access, BLOCK_BYTES)
    this.scratch = scratch
  }

  static async start(start: () => Promise<ObjectServer>): Promise<TestObjectStore> {
    return new TestObjectStore(await start(), await mkdtemp(join(tmpdir(), 'postern-objects-')))
  }

  /** Each test has a prefix of its own. A session that reads starts a process. */
  open(
    prefix: string,
    { secrets, ...more }: { readonly secrets?: Record<string, string>; readonly scratchMb?: number } = {},
  ): ObjectSession {
    const { access } = this.server
    const settings = { ...access.settings, prefix, ...more }
    const session = sessionOf({ ...access, settings, ...(secrets && { secrets }) }, this.scratch, BLOCK_BYTES)
    this.#opened.push(session)
    return session
  }

  put(key: string, content: string): Promise<unknown> {
    return this.bucket.upload(key, Readable.from([Buffer.from(content)]), 'test', soon())
  }

  keys(prefix = ''): Promise<readonly string[]> {
    return keysOf(this.bucket, prefix)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#opened) await session[Symbol.asyncDispose]()
    this.bucket.close()
    await this.server[Symbol.asyncDispose]()
    await rm(this.scratch, { recursive: true, force: true })
  }
}
