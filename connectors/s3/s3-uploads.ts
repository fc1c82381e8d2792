/** Uploads in parts: objects of any size, seen by nobody before they are completed, by whoever does. */

import type { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type ListPartsCommandOutput,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { type BlockSizes, sendBlocks } from '../objects/block-upload.ts'
import type { Held, HeldEnd, HeldUploads, Hold, Stored } from '../objects/bucket.ts'
import { md5, S3Blocks } from './s3-blocks.ts'
import { nameOf, s3Fault, statusOf } from './s3-faults.ts'

/** A key that may not list blocks, a server that has no such list. */
const UNTOLD: ReadonlySet<number | undefined> = new Set([403, 405, 501])
/** In ms: an upload that failed is aborted, also when its own time is up. */
const ABORT_MS = 60_000

export interface S3UploadsParts {
  readonly client: S3Client
  readonly bucket: string
  readonly sizes: BlockSizes
  /** Where it happened, for a person. */
  readonly at: (key: string) => string
}

export class S3Uploads implements HeldUploads {
  readonly apart = true
  readonly #parts: S3UploadsParts
  readonly #blocks: S3Blocks

  constructor(parts: S3UploadsParts) {
    this.#parts = parts
    this.#blocks = new S3Blocks(parts.client)
  }

  /** All of an object, completed. */
  async whole(key: string, bytes: Readable, mark: string, signal: AbortSignal): Promise<string | undefined> {
    const { at } = this.#parts
    const stored = await this.hold({ key, small: key, mark, begun: async () => undefined }, bytes, signal)
    if (!stored.held) return stored.version
    try {
      return await this.#complete(key, stored.held, false, signal)
    } catch (cause) {
      await this.abort(key, stored.held.id)
      throw s3Fault(cause, at(key), signal)
    }
  }

  async hold({ key, small, mark, begun }: Hold, bytes: Readable, signal: AbortSignal): Promise<Stored> {
    const { client, bucket, sizes, at } = this.#parts
    const target = { Bucket: bucket, Key: key }
    let upload: string | undefined
    let version: string | undefined
    const whole = async (block: Buffer) => {
      const command = new PutObjectCommand({ Bucket: bucket, Key: small, Body: block, ContentMD5: md5(block), Metadata: { postern: mark } })
      version = (await client.send(command, { abortSignal: signal })).ETag
    }
    const begin = async () => {
      upload = await this.begin(key, mark, signal)
      await begun(upload)
    }
    const send = async (block: Buffer, number: number) => {
      const { ETag = '' } = await this.#blocks.send({ ...target, UploadId: upload, PartNumber: number, Body: block }, signal)
      return ETag
    }
    try {
      const tags = await sendBlocks(bytes, sizes, { whole, begin, send }, signal)
      return { version, ...(upload !== undefined && { held: { id: upload, tags: [...tags] } }) }
    } catch (cause) {
      if (upload !== undefined) await this.abort(key, upload)
      throw s3Fault(cause, at(key), signal)
    }
  }

  async begin(key: string, mark: string, signal: AbortSignal): Promise<string> {
    const { client, bucket } = this.#parts
    const command = new CreateMultipartUploadCommand({ Bucket: bucket, Key: key, Metadata: { postern: mark } })
    return (await client.send(command, { abortSignal: signal })).UploadId ?? ''
  }

  /** All blocks are there as they were sent. Where that is not told, `complete` finds out: it names each block by its tag. */
  async isHeld(key: string, { id, tags }: Held, signal: AbortSignal): Promise<boolean> {
    const { client, bucket, at } = this.#parts
    const found: string[] = []
    let after: string | undefined
    try {
      do {
        const page: ListPartsCommandOutput = await client.send(
          new ListPartsCommand({ Bucket: bucket, Key: key, UploadId: id, ...(after !== undefined && { PartNumberMarker: after }) }),
          { abortSignal: signal },
        )
        for (const { PartNumber, ETag } of page.Parts ?? []) if (PartNumber !== undefined) found[PartNumber - 1] = bare(ETag)
        after = page.IsTruncated ? page.NextPartNumberMarker : undefined
      } while (after !== undefined)
    } catch (cause) {
      if (statusOf(cause) === 404 && nameOf(cause) !== 'NoSuchBucket') return false
      if (UNTOLD.has(statusOf(cause))) return true
      throw s3Fault(cause, at(key), signal)
    }
    return found.length === tags.length && tags.every((tag, i) => bare(tag) === found[i])
  }

  /** Who completes it a second time finds the object by its mark. */
  async complete(key: string, held: Held, { ifAbsent, mark }: HeldEnd, signal: AbortSignal): Promise<'made' | 'taken' | 'gone'> {
    const { at } = this.#parts
    try {
      // Not every server heeds the condition: it is looked before, too.
      const there = ifAbsent ? await this.#markOf(key, signal) : undefined
      if (there !== undefined) return there === mark ? 'made' : 'taken'
      await this.#complete(key, held, ifAbsent, signal)
      return 'made'
    } catch (cause) {
      const gone = nameOf(cause) === 'NoSuchUpload' || nameOf(cause) === 'InvalidPart'
      const taken = ifAbsent && (statusOf(cause) === 412 || nameOf(cause) === 'ConditionalRequestConflict')
      if (!gone && !taken) throw s3Fault(cause, at(key), signal)
      if ((await this.#markOf(key, signal)) === mark) return 'made'
      return gone ? 'gone' : 'taken'
    }
  }

  /** Never fails: what stays is found by `dropAll`, and by the bucket's own rule for unfinished uploads. */
  async abort(key: string, id: string): Promise<void> {
    const { client, bucket } = this.#parts
    const command = new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: id })
    await client.send(command, { abortSignal: AbortSignal.timeout(ABORT_MS) }).catch(() => undefined)
  }

  async dropAll(prefix: string, signal: AbortSignal): Promise<void> {
    const { client, bucket, at } = this.#parts
    let after: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {}
    while (after) {
      const command: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...after })
      const page = await client.send(command, { abortSignal: signal }).catch((cause) => {
        throw s3Fault(cause, at(prefix), signal)
      })
      for (const { Key, UploadId } of page.Uploads ?? []) {
        if (Key?.startsWith(prefix) && UploadId !== undefined) await this.abort(Key, UploadId)
      }
      const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = page
      after = IsTruncated ? { KeyMarker: NextKeyMarker ?? '', UploadIdMarker: NextUploadIdMarker ?? '' } : undefined
    }
  }

  async #complete(key: string, { id, tags }: Held, ifAbsent: boolean, signal: AbortSignal): Promise<string | undefined> {
    const { client, bucket } = this.#parts
    const Parts = tags.map((ETag, i) => ({ ETag, PartNumber: i + 1 }))
    const condition = ifAbsent ? { IfNoneMatch: '*' } : {}
    const command = new CompleteMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: id, MultipartUpload: { Parts }, ...condition })
    return (await client.send(command, { abortSignal: signal })).ETag
  }

  /** Of the object that is there: empty where it has none. */
  async #markOf(key: string, signal: AbortSignal): Promise<string | undefined> {
    const { client, bucket } = this.#parts
    try {
      const { Metadata } = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal })
      return Metadata?.['postern'] ?? ''
    } catch (cause) {
      if (statusOf(cause) === 404) return undefined
      throw cause
    }
  }
}

/** Some servers give it with quotes in one answer and without in another. */
function bare(tag = ''): string {
  return tag.replaceAll('"', '')
}
