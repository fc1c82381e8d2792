/** Files copied as they are: reading them as one stream, and what stands for them in a verification. */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { Digest, PartStream } from '../copy-contract.ts'
import { type BundleFile, packBundle, SMALL_BYTES } from './bundle.ts'
import { fileFault } from './faults.ts'
import type { Input } from './inputs.ts'
import type { FoundFile, Place } from './place.ts'
import { fewAtOnce } from './publish.ts'
import { refuseChanged } from './raw-csv.ts'

/** Files that are hashed at a time. */
const HASHES = 4
/** Files that are read before their turn; only those of at most SMALL_BYTES are. */
const AHEAD = 8

export function asIsStream(place: Place, files: readonly Input[], base: string, signal: AbortSignal): PartStream {
  let sent = 0
  const bytes = packBundle(inOrder({ place, base, signal }, files), () => {
    sent += 1
  })
  return { bytes, rows: () => sent }
}

interface Reading {
  readonly place: Place
  readonly base: string
  readonly signal: AbortSignal
}

/** One after the other; small ones are read while those before them are on their way: to open a file takes longer than to send it. */
async function* inOrder(reading: Reading, files: readonly Input[]): AsyncIterable<BundleFile> {
  const { place, base, signal } = reading
  const ahead: Promise<Buffer | undefined>[] = []
  const queue = files.values()
  const readAhead = () => {
    const { value: file } = queue.next()
    if (!file) return
    const content = smallOf(reading, file)
    // Whoever awaits it hears of a failure; before that it must not end the process.
    content.catch(() => undefined)
    ahead.push(content)
  }
  for (let n = 0; n < AHEAD; n += 1) readAhead()
  try {
    for (const file of files) {
      signal.throwIfAborted()
      const content = await ahead.shift()
      readAhead()
      const head = { path: file.path.slice(base.length), bytes: file.bytes }
      if (content) yield { ...head, open: () => [content], check: async () => undefined }
      else yield { ...head, open: () => wholeOf(place, file), check: () => refuseChanged(place, file, signal) }
    }
  } finally {
    await Promise.allSettled(ahead)
  }
}

/** All of a small file, as it was when it was found; nothing of another, which is read when its turn comes. */
async function smallOf({ place, signal }: Reading, file: Input): Promise<Buffer | undefined> {
  if (file.bytes > SMALL_BYTES) return undefined
  const content = await buffer(wholeOf(place, file))
  await refuseChanged(place, file, signal)
  return content
}

/** Rows are files. A file's number is that of its name below the base and of its bytes. */
export async function asIsDigest(
  place: Place,
  files: readonly FoundFile[],
  options: { readonly base: string; readonly checksum: boolean; readonly nameOf?: (file: FoundFile) => string },
  signal: AbortSignal,
): Promise<Digest> {
  const { base, checksum, nameOf = ({ path }: FoundFile) => path.slice(base.length) } = options
  if (!checksum) return { rows: files.length, checksum: null }
  const numbers = await fewAtOnce(files, HASHES, async (file) => fileNumber(nameOf(file), await hashOf(place, file, signal)))
  return { rows: files.length, checksum: String(numbers.reduce((sum, each) => sum + each, 0n)) }
}

export function fileNumber(name: string, sha256: string): bigint {
  return BigInt(`0x${createHash('sha256').update(`${name}\0${sha256}`).digest('hex').slice(0, 15)}`)
}

/** With its length a small file takes a small buffer. */
function wholeOf(place: Place, { path, bytes, version }: FoundFile): Readable {
  return bytes === 0 ? Readable.from([]) : place.read(path, { from: 0, to: bytes }, version)
}

async function hashOf(place: Place, file: FoundFile, signal: AbortSignal): Promise<string> {
  const { path } = file
  const hash = createHash('sha256')
  try {
    for await (const chunk of wholeOf(place, file) as AsyncIterable<Buffer>) {
      signal.throwIfAborted()
      hash.update(chunk)
    }
  } catch (cause) {
    throw fileFault(cause, `file ${path}`)
  }
  return hash.digest('hex')
}
