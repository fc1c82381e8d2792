import { createHash } from 'node:crypto'
import { type S3Client, UploadPartCommand, type UploadPartCommandInput, type UploadPartCommandOutput } from '@aws-sdk/client-s3'
import { statusOf } from './s3-faults.ts'

type Block = UploadPartCommandInput & { readonly Body: Buffer }

/**
 * Sends blocks of uploads. The SHA-256 of each is part of its signature, so that a server refuses other bytes. Its MD5 besides, which
 * takes twice as long to make, is sent once a server has refused a block without: those of buckets with a time of retention do.
 */
export class S3Blocks {
  readonly #client: S3Client
  #wantsMd5 = false

  constructor(client: S3Client) {
    this.#client = client
  }

  async send(block: Block, signal: AbortSignal): Promise<UploadPartCommandOutput> {
    const options = { abortSignal: signal }
    if (!this.#wantsMd5) {
      try {
        return await this.#client.send(new UploadPartCommand(block), options)
      } catch (cause) {
        if (statusOf(cause) !== 400) throw cause
      }
    }
    const sent = await this.#client.send(new UploadPartCommand({ ...block, ContentMD5: md5(block.Body) }), options)
    this.#wantsMd5 = true
    return sent
  }
}

export function md5(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('base64')
}
