import type { Readable } from 'node:stream'
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { guardedAgents } from '@postern/base/guarded-agents.ts'
import { HostGuard } from '@postern/base/host-guard.ts'
import type { Secret } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { fewAtOnce } from '../files/publish.ts'
import { BLOCKS, type BlockSizes } from '../objects/block-upload.ts'
import type { Bucket, GetOptions, HeldUploads, Listed, ObjectFacts } from '../objects/bucket.ts'
import type { S3Config } from './index.ts'
import { md5 } from './s3-blocks.ts'
import { nameOf, s3Fault, statusOf } from './s3-faults.ts'
import { S3Uploads } from './s3-uploads.ts'

export interface S3Secrets {
  readonly secretAccessKey: Secret | undefined
  readonly sessionToken: Secret | undefined
}

export interface S3Sizes extends BlockSizes {
  /** One request copies no more; above it is copied in parts. */
  readonly copyBytes: number
  readonly copyPartBytes: number
}

const SIZES: S3Sizes = { ...BLOCKS, copyBytes: 5 * 2 ** 30, copyPartBytes: 2 ** 30 }
/** All in ms: of one connection, and of a connection on which nothing moves. */
const LIMITS = { connectMs: 10_000, idleMs: 60_000, tries: 4, sockets: 64 } as const

export class S3Bucket implements Bucket {
  readonly title: string
  readonly #client: S3Client
  readonly #bucket: string
  readonly #sizes: S3Sizes
  readonly held: HeldUploads
  readonly #uploads: S3Uploads

  constructor(
    config: Pick<S3Config, 'endpoint' | 'region' | 'bucket' | 'accessKeyId' | 'pathStyle'>,
    secrets: S3Secrets,
    hosts = new HostGuard(),
    sizes: S3Sizes = SIZES,
  ) {
    const { endpoint, region, bucket, accessKeyId, pathStyle } = config
    if (!secrets.secretAccessKey) {
      throw new Fault('STORE_DENIED', { at: `bucket ${bucket}: no secret access key`, remedy: 'Seal secretAccessKey of the store.' })
    }
    const token = secrets.sessionToken?.reveal()
    const agents = guardedAgents(hosts, { keepAlive: true, maxSockets: LIMITS.sockets })
    this.#bucket = bucket
    this.#sizes = sizes
    this.title = `bucket ${bucket} at ${endpoint === undefined ? `Amazon S3 ${region}` : new URL(endpoint).host}`
    this.#client = new S3Client({
      ...(endpoint === undefined ? {} : { endpoint }),
      region,
      forcePathStyle: pathStyle ?? endpoint !== undefined,
      credentials: {
        accessKeyId,
        secretAccessKey: secrets.secretAccessKey.reveal(),
        ...(token === undefined ? {} : { sessionToken: token }),
      },
      maxAttempts: LIMITS.tries,
      // Content-MD5 is checked by every server; the newer checksums are refused by some.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: {
        connectionTimeout: LIMITS.connectMs,
        socketTimeout: LIMITS.idleMs,
        httpAgent: agents.http,
        httpsAgent: agents.https,
      },
    })
    this.#uploads = new S3Uploads({ client: this.#client, bucket, sizes, at: (key) => this.#at(key) })
    this.held = this.#uploads
  }

  async *list(prefix: string, delimiter: boolean, signal: AbortSignal): AsyncIterable<Listed> {
    let token: string | undefined
    do {
      const command = new ListObjectsV2Command({
        Bucket: this.#bucket,
        // Some servers sign an empty one otherwise.
        ...(prefix === '' ? {} : { Prefix: prefix }),
        ...(delimiter ? { Delimiter: '/' } : {}),
        ...(token === undefined ? {} : { ContinuationToken: token }),
      })
      const page = await this.#ask(prefix, signal, (abortSignal) => this.#client.send(command, { abortSignal }))
      for (const { Prefix } of page.CommonPrefixes ?? []) if (Prefix !== undefined) yield { prefix: Prefix }
      for (const { Key, Size, ETag } of page.Contents ?? [])
        if (Key !== undefined) yield { key: Key, bytes: Size ?? 0, version: ETag ?? '' }
      token = page.IsTruncated ? page.NextContinuationToken : undefined
    } while (token !== undefined)
  }

  async head(key: string, signal: AbortSignal): Promise<ObjectFacts | undefined> {
    const found = await this.#head(key, signal)
    return found && { key, bytes: found.ContentLength ?? 0, version: found.ETag ?? '' }
  }

  async mark(key: string, signal: AbortSignal): Promise<string | undefined> {
    return (await this.#head(key, signal))?.Metadata?.['postern']
  }

  async get(key: string, { range, version }: GetOptions, signal: AbortSignal): Promise<Readable | undefined> {
    // A range of nothing is no range to a server.
    const command = new GetObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      ...(range ? { Range: `bytes=${range.from}-${range.to - 1}` } : {}),
      ...(version === undefined ? {} : { IfMatch: version }),
    })
    try {
      const found = await this.#client.send(command, { abortSignal: signal })
      return found.Body as Readable | undefined
    } catch (cause) {
      if (nameOf(cause) === 'NoSuchKey') return undefined
      throw s3Fault(cause, this.#at(key), signal)
    }
  }

  async put(key: string, bytes: Buffer, ifAbsent: boolean, signal: AbortSignal): Promise<boolean> {
    const command = new PutObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      Body: bytes,
      ContentMD5: md5(bytes),
      ...(ifAbsent ? { IfNoneMatch: '*' } : {}),
    })
    return this.#unlessThere(key, ifAbsent, signal, () => this.#client.send(command, { abortSignal: signal }))
  }

  upload(key: string, bytes: Readable, mark: string, signal: AbortSignal): Promise<string | undefined> {
    return this.#uploads.whole(key, bytes, mark, signal)
  }

  async copy(
    from: ObjectFacts,
    to: string,
    options: { readonly ifAbsent: boolean; readonly mark: string },
    signal: AbortSignal,
  ): Promise<boolean> {
    const { ifAbsent, mark } = options
    // Not every server heeds the condition of a copy: it is looked before, too.
    if (ifAbsent && (await this.head(to, signal))) return false
    const CopySource = [this.#bucket, ...from.key.split('/')].map(encodeURIComponent).join('/')
    const condition = ifAbsent ? { IfNoneMatch: '*' } : {}
    if (from.bytes <= this.#sizes.copyBytes) {
      const command = new CopyObjectCommand({ Bucket: this.#bucket, Key: to, CopySource, ...condition })
      return this.#unlessThere(to, ifAbsent, signal, () => this.#client.send(command, { abortSignal: signal }))
    }
    return this.#copyInParts(from, { to, CopySource, ifAbsent, mark }, signal)
  }

  async #copyInParts(
    from: ObjectFacts,
    {
      to,
      CopySource,
      ifAbsent,
      mark,
    }: { readonly to: string; readonly CopySource: string; readonly ifAbsent: boolean; readonly mark: string },
    signal: AbortSignal,
  ): Promise<boolean> {
    const id = await this.#ask(to, signal, (abortSignal) => this.#uploads.begin(to, mark, abortSignal))
    const upload = { Bucket: this.#bucket, Key: to, UploadId: id }
    try {
      const { copyPartBytes } = this.#sizes
      const numbers = Array.from({ length: Math.ceil(from.bytes / copyPartBytes) }, (_, i) => i + 1)
      const parts = await fewAtOnce(numbers, this.#sizes.atOnce, async (number) => {
        const last = Math.min(from.bytes, number * copyPartBytes) - 1
        const range = { CopySourceRange: `bytes=${(number - 1) * copyPartBytes}-${last}`, CopySourceIfMatch: from.version }
        const command = new UploadPartCopyCommand({ ...upload, PartNumber: number, CopySource, ...range })
        const { CopyPartResult } = await this.#client.send(command, { abortSignal: signal })
        return { ETag: CopyPartResult?.ETag, PartNumber: number }
      })
      const condition = ifAbsent ? { IfNoneMatch: '*' } : {}
      const command = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: [...parts] }, ...condition })
      const made = await this.#unlessThere(to, ifAbsent, signal, () => this.#client.send(command, { abortSignal: signal }))
      if (!made) await this.#uploads.abort(to, id)
      return made
    } catch (cause) {
      await this.#uploads.abort(to, id)
      throw s3Fault(cause, this.#at(to), signal)
    }
  }

  async delete(keys: readonly string[], signal: AbortSignal): Promise<void> {
    const [first] = keys
    if (first === undefined) return
    const Objects = keys.map((Key) => ({ Key }))
    const answer = await this.#ask(first, signal, (abortSignal) =>
      this.#client.send(new DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } }), { abortSignal }),
    )
    const failed = (answer.Errors ?? []).find(({ Code }) => Code !== 'NoSuchKey')
    if (failed) throw s3Fault({ name: failed.Code ?? 'unknown' }, this.#at(failed.Key ?? first))
  }

  dropUploads(prefix: string, signal: AbortSignal): Promise<void> {
    return this.#uploads.dropAll(prefix, signal)
  }

  close(): void {
    this.#client.destroy()
  }

  async #head(key: string, signal: AbortSignal) {
    try {
      return await this.#client.send(new HeadObjectCommand({ Bucket: this.#bucket, Key: key }), { abortSignal: signal })
    } catch (cause) {
      if (statusOf(cause) === 404 && nameOf(cause) !== 'NoSuchBucket') return undefined
      throw s3Fault(cause, this.#at(key), signal)
    }
  }

  /** 412: it is there. 409: another one is being made at this moment, which is as good. */
  async #unlessThere(key: string, ifAbsent: boolean, signal: AbortSignal, send: () => Promise<unknown>): Promise<boolean> {
    try {
      await send()
      return true
    } catch (cause) {
      if (ifAbsent && (statusOf(cause) === 412 || nameOf(cause) === 'ConditionalRequestConflict')) return false
      throw s3Fault(cause, this.#at(key), signal)
    }
  }

  async #ask<Reply>(key: string, signal: AbortSignal, send: (signal: AbortSignal) => Promise<Reply>): Promise<Reply> {
    try {
      return await send(signal)
    } catch (cause) {
      throw s3Fault(cause, this.#at(key), signal)
    }
  }

  #at(key: string): string {
    return key === '' ? this.title : `${this.title}, ${key}`
  }
}
