import type { Readable } from 'node:stream'
import { Fault } from '@postern/protocol/fault.ts'
import { z } from 'zod'
import type { HeldFile, HoldAt, Holding } from '../files/place.ts'
import { fewAtOnce } from '../files/publish.ts'
import type { Bucket, HeldUploads, Stored } from './bucket.ts'

/** In a room: says which upload was begun, so that it can be ended by whoever clears the room. */
const NOTE = '.upload.json'
const NoteSchema = z.object({ key: z.string(), id: z.string() })
/** Uploads that are ended at a time. */
const ABORTS = 8

export interface HeldFilesParts {
  readonly bucket: Bucket
  readonly uploads: HeldUploads
  readonly key: (path: string) => string
  readonly markOf: (path: string) => string
  readonly readNote: (key: string, signal: AbortSignal) => Promise<string | undefined>
}

/** Files of a place of objects that are uploads until they are published. */
export class HeldFiles implements Holding {
  readonly #parts: HeldFilesParts

  constructor(parts: HeldFilesParts) {
    this.#parts = parts
  }

  get ownNamesOnly(): boolean {
    return !this.#parts.uploads.apart
  }

  async write(at: HoldAt, bytes: Readable, signal: AbortSignal): Promise<Stored> {
    const { bucket, uploads, key, markOf } = this.#parts
    const { staged, final } = at
    const note = key(staged) + NOTE
    const target = key(final)
    let upload: string | undefined
    const begun = async (id: string) => {
      await bucket.put(note, Buffer.from(JSON.stringify({ key: target, id })), false, signal)
      upload = id
    }
    try {
      return await uploads.hold({ key: target, small: key(staged), mark: markOf(staged), begun }, bytes, signal)
    } catch (cause) {
      if (upload !== undefined) await this.drop(at, { id: upload }, AbortSignal.timeout(NOTE_MS))
      throw cause
    }
  }

  isThere({ final }: HoldAt, held: HeldFile, signal: AbortSignal): Promise<boolean> {
    return this.#parts.uploads.isHeld(this.#parts.key(final), held, signal)
  }

  async complete({ staged, final }: HoldAt, held: HeldFile, replace: boolean, signal: AbortSignal): Promise<boolean> {
    const { uploads, key, markOf } = this.#parts
    const end = await uploads.complete(key(final), held, { ifAbsent: !replace, mark: markOf(staged) }, signal)
    if (end === 'taken') throw new Fault('FILE_EXISTS', { at: final })
    return end === 'made'
  }

  async drop({ staged, final }: HoldAt, { id }: Pick<HeldFile, 'id'>, signal: AbortSignal): Promise<void> {
    const { bucket, uploads, key, readNote } = this.#parts
    const note = key(staged) + NOTE
    // Where blocks of the attempt that counts may lie under the same name: who clears the room takes the note, and then none of them counts.
    const ours = uploads.apart || (await readNote(note, signal).catch(() => '')) === undefined
    if (!ours) return
    await uploads.abort(key(final), id).catch(() => undefined)
    await bucket.delete([note], signal).catch(() => undefined)
  }

  /** Ends the uploads that these objects of a room tell of. Those that were completed are so for good. */
  async dropNoted(keys: readonly string[], signal: AbortSignal): Promise<void> {
    const notes = keys.filter((key) => key.endsWith(NOTE))
    await fewAtOnce(notes, ABORTS, async (note) => {
      const noted = NoteSchema.safeParse(json(await this.#parts.readNote(note, signal)))
      if (noted.success) await this.#parts.uploads.abort(noted.data.key, noted.data.id)
    })
  }
}

/** What an upload that failed leaves is taken away, also when its own time is up. */
const NOTE_MS = 30_000

function json(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}
