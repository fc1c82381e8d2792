/**
 * Encoding `file`: whole files, one after the other, as one stream. Of each: the length of its head (4 bytes, big-endian), the head
 * (JSON: path and bytes), its bytes, and their SHA-256 (32 bytes). A head of no length ends the stream.
 */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { Fault } from '@postern/protocol/fault.ts'
import { z } from 'zod'
import { isHidden } from './formats.ts'

/** The longest path, twice over. */
const HEAD_BYTES = 16_384
const HASH_BYTES = 32

const Head = z.object({ path: z.string().min(1).max(4_096), bytes: z.int().nonnegative() })
export type BundleHead = z.output<typeof Head>

export interface BundleFile extends BundleHead {
  /** Its bytes, as many as `bytes` says. */
  readonly open: () => AsyncIterable<Buffer> | Iterable<Buffer>
  /** Fails when the file is not what it was when it was opened. */
  readonly check: () => Promise<void>
}

/** `sent` is called after each file that has gone out whole. */
export function packBundle(files: AsyncIterable<BundleFile>, sent: () => void): Readable {
  return Readable.from(packed(files, sent), { objectMode: false, highWaterMark: 1 << 19 })
}

async function* packed(files: AsyncIterable<BundleFile>, sent: () => void): AsyncIterable<Buffer> {
  for await (const { path, bytes, open, check } of files) {
    const head = Buffer.from(JSON.stringify({ path, bytes } satisfies BundleHead))
    const length = Buffer.alloc(4)
    length.writeUInt32BE(head.length)
    // A small file goes out in one piece: each piece costs every hop something.
    let pieces: Buffer[] = [length, head]
    const hash = createHash('sha256')
    let left = bytes
    for await (const chunk of open()) {
      left -= chunk.length
      if (left < 0) break
      hash.update(chunk)
      pieces.push(chunk)
      if (bytes <= SMALL_BYTES) continue
      yield pieces.length === 1 ? chunk : Buffer.concat(pieces)
      pieces = []
    }
    if (left !== 0) throw changed(path)
    await check()
    sent()
    yield Buffer.concat([...pieces, hash.digest()])
  }
  yield Buffer.alloc(4)
}

export function changed(path: string): Fault {
  return new Fault('ROW_INVALID', {
    at: `file ${path}: it has changed since the copy was planned.`,
    remedy: 'Start the copy again, when nobody writes the file.',
  })
}

/** What is done with one file: its bytes must be read to their end, or destroyed. */
export type TakeFile = (head: BundleHead, bytes: Readable) => Promise<void>

/**
 * Takes a stream apart, several small files at a time. Fails unless it is whole and every file is what its hash says; `take` may be under
 * way then, and what it made must be thrown away.
 */
export async function unpackBundle(stream: Readable, take: TakeFile, signal: AbortSignal): Promise<readonly UnpackedFile[]> {
  const reader = new ByteReader(stream)
  const done: UnpackedFile[] = []
  const under = new Set<Promise<void>>()
  let failed: { readonly cause: unknown } | undefined
  const begin = (work: Promise<void>) => {
    const tracked: Promise<void> = work
      .catch((cause) => {
        failed ??= { cause }
      })
      .finally(() => under.delete(tracked))
    under.add(tracked)
  }
  try {
    for (;;) {
      signal.throwIfAborted()
      if (failed) throw failed.cause
      const length = (await reader.exactly(4)).readUInt32BE()
      if (length === 0) break
      const head = headOf(length > HEAD_BYTES ? Buffer.alloc(0) : await reader.exactly(length))
      if (head.bytes <= SMALL_BYTES) {
        // Copied: the reader's chunk holds much more than a small file.
        const bytes = Buffer.from(await reader.exactly(head.bytes))
        done.push(proven(head, createHash('sha256').update(bytes).digest(), await reader.exactly(HASH_BYTES)))
        begin(take(head, Readable.from([bytes])))
        if (under.size >= AT_A_TIME) await Promise.race(under)
        continue
      }
      const hash = createHash('sha256')
      const bytes = Readable.from(reader.some(head.bytes, hash), { objectMode: false })
      await take(head, bytes)
      if (!bytes.readableEnded) throw new Fault('INTERNAL', { at: `file ${head.path} was not taken whole` })
      done.push(proven(head, hash.digest(), await reader.exactly(HASH_BYTES)))
    }
    await Promise.all(under)
    if (failed) throw (failed as { cause: unknown }).cause
    await reader.end()
    return done
  } catch (cause) {
    stream.destroy()
    await Promise.all(under)
    throw cause
  }
}

export interface UnpackedFile extends BundleHead {
  readonly sha256: string
}

/** Held in memory and written side by side; larger ones stream, one at a time. */
export const SMALL_BYTES = 256 << 10
const AT_A_TIME = 16

function headOf(bytes: Buffer): BundleHead {
  const parsed = Head.safeParse(bytes.length === 0 ? undefined : JSON.parse(bytes.toString()))
  const steps = parsed.success ? parsed.data.path.split('/') : ['']
  if (!parsed.success || steps.some((step) => step === '' || isHidden(step) || step.includes('\\') || step.includes('\0'))) {
    throw new Fault('PATH_OUTSIDE', { at: 'A file of the source has a name that the target cannot take.' })
  }
  return parsed.data
}

function proven(head: BundleHead, found: Buffer, said: Buffer): UnpackedFile {
  if (!found.equals(said)) throw new Fault('VERIFICATION_FAILED', { at: `file ${head.path}: its bytes are not those that were sent.` })
  return { ...head, sha256: found.toString('hex') }
}

/** So many bytes at a time, whatever the chunks. */
class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(stream: Readable) {
    this.#chunks = stream[Symbol.asyncIterator]()
  }

  async exactly(length: number): Promise<Buffer> {
    while (this.#rest.length < length) this.#rest = Buffer.concat([this.#rest, await this.#next()])
    const bytes = this.#rest.subarray(0, length)
    this.#rest = this.#rest.subarray(length)
    return bytes
  }

  async *some(length: number, hash: { update(chunk: Buffer): unknown }): AsyncIterable<Buffer> {
    for (let left = length; left > 0; ) {
      if (this.#rest.length === 0) this.#rest = await this.#next()
      const chunk = this.#rest.subarray(0, left)
      this.#rest = this.#rest.subarray(chunk.length)
      left -= chunk.length
      hash.update(chunk)
      yield chunk
    }
  }

  /** Nothing may follow; and the stream itself must have ended well. */
  async end(): Promise<void> {
    if (this.#rest.length > 0 || !(await this.#chunks.next()).done) throw torn()
  }

  async #next(): Promise<Buffer> {
    const { done, value } = await this.#chunks.next()
    if (done) throw torn()
    return value
  }
}

function torn(): Fault {
  return new Fault('STORE_LOST', { at: 'The files ended before the source said so.' })
}
