/** Writes one part into its staging folder: by the path where there is one, else as a stream. */
import { createHash, type Hash } from 'node:crypto'
import { PassThrough, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Fault } from '@postern/protocol/fault.ts'
import { CsvCounter } from './csv-counter.ts'
import { abortFault, fileFault, stopIfAborted } from './faults.ts'
import { linesToArray } from './json-array.ts'
import type { Holding, Place } from './place.ts'
import type { FilesParts } from './session.ts'
import { compressor, convertedBytes, headed, passesThrough, type WriteParts, type Written, writeFile } from './writer.ts'

/** `path` is below the place. On any failure there is no file. */
export async function writePart(parts: WriteParts, session: FilesParts, signal: AbortSignal): Promise<Written> {
  const { place } = session
  if (place.writable) {
    let path: string
    try {
      path = await place.writable(parts.path)
    } catch (cause) {
      parts.bytes.destroy()
      throw cause
    }
    return writeFile({ ...parts, path }, session, signal)
  }
  return streamed(parts, session, signal)
}

/** Rows in, bytes of the file out to the place, nothing in between but pipes: memory and disk do not grow with the part. */
async function streamed(parts: WriteParts, session: FilesParts, signal: AbortSignal): Promise<Written> {
  const { place } = session
  const seal = new Seal(!parts.unhashed)
  const out = new PassThrough({ highWaterMark: 1 << 20 })
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  // Each side ends the other: whose failure came first is the one that is told.
  const first: { cause?: unknown } = {}
  const failing = (cause: unknown): never => {
    first.cause ??= cause
    out.destroy(cause instanceof Error ? cause : new Fault('INTERNAL', { cause }))
    stop.abort(first.cause)
    throw cause
  }
  const { path: staged, final } = parts
  const store =
    place.holding && final !== undefined ? place.holding.write({ staged, final }, out, either) : wholeFile(place, staged, out, either)
  const written = store.catch(failing)
  const made = makeBytes(parts, session, seal, out, either).catch(failing)
  const [rows, stored] = await Promise.allSettled([made, written])
  if (first.cause !== undefined || rows.status === 'rejected') {
    parts.bytes.destroy()
    stopIfAborted(signal)
    throw fileFault(first.cause, parts.title)
  }
  const { version, held }: Stored = stored.status === 'fulfilled' ? stored.value : {}
  const told = { ...(version !== undefined && { version }), ...(held && { held }) }
  return { rows: rows.value, bytes: seal.bytes, sha256: seal.digest(), ...told }
}

type Stored = Awaited<ReturnType<Holding['write']>>

async function wholeFile(place: Place, path: string, bytes: PassThrough, signal: AbortSignal): Promise<Stored> {
  if (!place.write) throw new Fault('INTERNAL', { at: `${place.title} cannot be written` })
  return { version: await place.write(path, bytes, signal) }
}

/** The rows that came; `out` ends only when all of them are in it. */
async function makeBytes(parts: WriteParts, session: FilesParts, seal: Seal, out: PassThrough, signal: AbortSignal): Promise<number> {
  const { bytes, layout, columns } = parts
  if (bytes.errored) throw bytes.errored
  if (passesThrough(parts)) {
    const counter = new CsvCounter()
    await pipeline(bytes, counter, headed(columns), compressor(layout.compression), seal, out, { signal })
    return counter.rows
  }
  const converted = await convertedBytes(parts, session, signal)
  const lines = layout.format === 'json' ? linesToArray() : new PassThrough()
  await pipeline(converted.bytes, lines, compressor(layout.compression), seal, out, { signal })
  if (signal.aborted) throw abortFault(signal)
  return converted.rows()
}

/** Counts what passes, and hashes it where that is wanted. */
class Seal extends Transform {
  readonly #hash: Hash | undefined
  bytes = 0

  constructor(hashes: boolean) {
    super()
    this.#hash = hashes ? createHash('sha256') : undefined
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (cause: null, chunk: Buffer) => void): void {
    this.bytes += chunk.length
    this.#hash?.update(chunk)
    done(null, chunk)
  }

  digest(): string {
    return this.#hash?.digest('hex') ?? ''
  }
}
