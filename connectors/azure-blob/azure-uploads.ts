/** Blobs in blocks: of any size, seen by nobody before their list is committed, by whoever does. */
import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { BlockBlobClient, ContainerClient } from '@azure/storage-blob'
import { type BlockSizes, sendBlocks } from '../objects/block-upload.ts'
import type { Held, HeldEnd, HeldUploads, Hold, Stored } from '../objects/bucket.ts'
import { azureFault, codeOf, isMissing, statusOf } from './azure-faults.ts'

/** In ms: what an upload has left is taken away, also when its own time is up. */
const CLEAN_UP_MS = 60_000
/** The mark of a blob that was only made to be taken away. No file has it: theirs begin with "part-". */
const DROPPED = 'dropped'

export interface AzureUploadsParts {
  readonly container: ContainerClient
  readonly sizes: BlockSizes
  /** Where it happened, for a person. */
  readonly at: (key: string) => string
}

/**
 * Azure keeps the blocks of a name in one pool, whoever sent them. Ids tell them apart; committing a list takes from the pool what it names, and
 * throws the rest away. Blocks of one upload alone cannot be taken away.
 */
export class AzureUploads implements HeldUploads {
  readonly apart = false
  readonly #parts: AzureUploadsParts

  constructor(parts: AzureUploadsParts) {
    this.#parts = parts
  }

  /** All of a blob, committed. Nobody else may write to this name. */
  async whole(key: string, bytes: Readable, mark: string, signal: AbortSignal): Promise<string | undefined> {
    let begun = false
    const begin = async () => {
      begun = true
    }
    try {
      const { held, version } = await this.hold({ key, small: key, mark, begun: begin }, bytes, signal)
      return held ? await this.#commit(key, held, { ifAbsent: false, mark }, signal) : version
    } catch (cause) {
      if (begun) await this.abort(key).catch(() => undefined)
      throw azureFault(cause, this.#parts.at(key), signal)
    }
  }

  async hold({ key, small, mark, begun }: Hold, bytes: Readable, signal: AbortSignal): Promise<Stored> {
    const blob = this.#blob(key)
    const id = idOf(small)
    let version: string | undefined
    const whole = async (block: Buffer) => {
      const options = { abortSignal: signal, metadata: { postern: mark }, blobHTTPHeaders: { blobContentMD5: md5(block) } }
      version = quoted((await this.#blob(small).upload(block, block.length, options)).etag)
    }
    const send = async (block: Buffer, number: number) => {
      const options = { abortSignal: signal, transactionalContentMD5: md5(block) }
      await blob.stageBlock(blockOf(id, number), block, block.length, options)
      return String(block.length)
    }
    try {
      const tags = await sendBlocks(bytes, this.#parts.sizes, { whole, begin: () => begun(id), send }, signal)
      return { version, ...(tags.length > 0 && { held: { id, tags } }) }
    } catch (cause) {
      throw azureFault(cause, this.#parts.at(key), signal)
    }
  }

  /** All blocks are there, of the size that they had: their ids are nobody else's, and Azure has held each against its MD5. */
  async isHeld(key: string, { id, tags }: Held, signal: AbortSignal): Promise<boolean> {
    try {
      const sizes = await this.#blocks(key, signal)
      return tags.every((tag, i) => sizes.get(blockOf(id, i + 1)) === Number(tag))
    } catch (cause) {
      throw azureFault(cause, this.#parts.at(key), signal)
    }
  }

  /** Who completes it a second time makes the same blob of the same blocks, or finds it by its mark. */
  async complete(key: string, held: Held, end: HeldEnd, signal: AbortSignal): Promise<'made' | 'taken' | 'gone'> {
    try {
      await this.#commit(key, held, end, signal)
      return 'made'
    } catch (cause) {
      const gone = codeOf(cause) === 'InvalidBlockList'
      const taken = end.ifAbsent && (codeOf(cause) === 'BlobAlreadyExists' || statusOf(cause) === 412)
      if (!gone && !taken) throw azureFault(cause, this.#parts.at(key), signal)
      if ((await this.#found(key, signal))?.mark === end.mark) return 'made'
      return gone ? 'gone' : 'taken'
    }
  }

  /** Blocks that stay after all go by themselves, a week after the last one of their name. */
  async abort(key: string): Promise<void> {
    const signal = AbortSignal.timeout(CLEAN_UP_MS)
    const emptied = await this.#emptied(key, signal).catch(() => undefined)
    if (emptied !== undefined) await this.#remove(key, emptied, signal)
  }

  async dropAll(prefix: string, signal: AbortSignal): Promise<void> {
    const { container, at } = this.#parts
    try {
      const whole = new Set<string>()
      for await (const item of container.listBlobsFlat({ prefix, abortSignal: signal })) whole.add(item.name)
      for await (const item of container.listBlobsFlat({ prefix, includeUncommitedBlobs: true, abortSignal: signal })) {
        if (whole.has(item.name)) continue
        const emptied = await this.#emptied(item.name, signal)
        if (emptied !== undefined) await this.#remove(item.name, emptied, signal)
      }
    } catch (cause) {
      throw azureFault(cause, at(prefix), signal)
    }
  }

  /**
   * Azure takes blocks away only with the blob they would have become: it is made, empty, to be removed. Gives its version; undefined where no
   * blocks wait, or a blob is there: it stays, with the blocks under its name. An empty one that a killed process has left here is as good.
   */
  async #emptied(key: string, signal: AbortSignal): Promise<string | undefined> {
    const found = await this.#found(key, signal)
    if (found) return found.mark === DROPPED ? found.version : undefined
    if ((await this.#blocks(key, signal)).size === 0) return undefined
    const only = { conditions: { ifNoneMatch: '*' }, metadata: { postern: DROPPED } }
    try {
      return quoted((await this.#blob(key).commitBlockList([], { abortSignal: signal, ...only })).etag)
    } catch (cause) {
      // Its answer may have been lost, or another one was faster.
      const there = await this.#found(key, signal)
      if (!there) throw cause
      return there.mark === DROPPED ? there.version : undefined
    }
  }

  async #remove(key: string, version: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#blob(key).deleteIfExists({ abortSignal: signal, conditions: { ifMatch: version } })
    } catch (cause) {
      throw azureFault(cause, this.#parts.at(key), signal)
    }
  }

  async #commit(key: string, { id, tags }: Held, { ifAbsent, mark }: HeldEnd, signal: AbortSignal): Promise<string | undefined> {
    const blocks = tags.map((_, i) => blockOf(id, i + 1))
    const conditions = ifAbsent ? { ifNoneMatch: '*' } : {}
    const { etag } = await this.#blob(key).commitBlockList(blocks, { abortSignal: signal, conditions, metadata: { postern: mark } })
    return etag === undefined ? undefined : quoted(etag)
  }

  /** Those that wait under the name, with their sizes. */
  async #blocks(key: string, signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    try {
      const { uncommittedBlocks = [] } = await this.#blob(key).getBlockList('uncommitted', { abortSignal: signal })
      return new Map(uncommittedBlocks.map(({ name, size }) => [name, size]))
    } catch (cause) {
      if (isMissing(cause)) return new Map()
      throw cause
    }
  }

  async #found(key: string, signal: AbortSignal): Promise<{ readonly mark: string; readonly version: string } | undefined> {
    try {
      const { metadata, etag } = await this.#blob(key).getProperties({ abortSignal: signal })
      return { mark: metadata?.['postern'] ?? '', version: quoted(etag) }
    } catch (cause) {
      if (isMissing(cause)) return undefined
      throw cause
    }
  }

  #blob(key: string): BlockBlobClient {
    return this.#parts.container.getBlockBlobClient(key)
  }
}

/** Of the run, the part, the attempt and its start, which all stand in the name of what is staged. All ids of a blob must be of one length. */
function idOf(staged: string): string {
  return createHash('sha256').update(staged).digest('hex').slice(0, 32)
}

function blockOf(id: string, number: number): string {
  return Buffer.from(`${id}-${String(number).padStart(6, '0')}`).toString('base64')
}

/** Listings and answers give it without the quotes that conditions want. */
export function quoted(tag: string | undefined): string {
  return tag === undefined || tag === '' || tag.startsWith('"') ? (tag ?? '') : `"${tag}"`
}

export function md5(bytes: Buffer): Uint8Array {
  return createHash('md5').update(bytes).digest()
}
