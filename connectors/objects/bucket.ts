import type { Readable } from 'node:stream'
import type { ByteRange } from '../files/place.ts'

export interface ObjectFacts {
  readonly key: string
  readonly bytes: number
  /** Another one whenever the bytes are others. */
  readonly version: string
}

/** One step of a listing: an object, or with a delimiter the beginning that many keys share ("orders/"). */
export type Listed = ObjectFacts | { readonly prefix: string }

export interface GetOptions {
  readonly range?: ByteRange | undefined
  readonly version?: string | undefined
}

/** Blocks of an object that are in the store and seen by nobody until the upload is completed. JSON: another process may do that. */
export interface Held {
  readonly id: string
  /** Of each block in its order, as the store told them. */
  readonly tags: readonly string[]
}

/** What an upload has become: an object of that version, or what is held. */
export interface Stored {
  readonly version?: string | undefined
  readonly held?: Held
}

export interface Hold {
  /** Of the object that it will be. */
  readonly key: string
  /** Where bytes go that fit one block: these are an object at once. */
  readonly small: string
  readonly mark: string
  /** Told before the first block is sent: what is begun can then be ended by others. */
  readonly begun: (id: string) => Promise<void>
}

export interface HeldEnd {
  readonly ifAbsent: boolean
  readonly mark: string
}

/** Uploads that end when somebody says so, so that publishing need not copy. */
export interface HeldUploads {
  /**
   * Of two uploads of one key each can be aborted without the other. Where not, the blocks of one that failed stay when `hold` fails, and wait for
   * others to be completed, or for `abort` once no upload of the key counts any more: only keys that nobody else writes are held so.
   */
  readonly apart: boolean
  hold(hold: Hold, bytes: Readable, signal: AbortSignal): Promise<Stored>
  /** All its blocks are there still. */
  isHeld(key: string, held: Held, signal: AbortSignal): Promise<boolean>
  /** `taken`: `ifAbsent`, and there is another object. `gone`: the blocks are, and the object that they became is not there. */
  complete(key: string, held: Held, end: HeldEnd, signal: AbortSignal): Promise<'made' | 'taken' | 'gone'>
  /** What is an object already stays. Fails only where something would be left that can be seen. */
  abort(key: string, id: string): Promise<void>
}

/**
 * What an object store must be able to do to be a place of files; one implementation for each vendor's SDK. Keys are whole keys. Every
 * failure is a Fault; retries of what can pass are the SDK's.
 */
export interface Bucket {
  /** For a person: "bucket sales at https://…". */
  readonly title: string
  list(prefix: string, delimiter: boolean, signal: AbortSignal): AsyncIterable<Listed>
  head(key: string, signal: AbortSignal): Promise<ObjectFacts | undefined>
  /** With `version`: fails with STORE_LOST when the object is another one by now. Undefined when there is none. */
  get(key: string, options: GetOptions, signal: AbortSignal): Promise<Readable | undefined>
  /** A small object. False when `ifAbsent` and there is one. */
  put(key: string, bytes: Buffer, ifAbsent: boolean, signal: AbortSignal): Promise<boolean>
  /** An object of any size, seen by nobody before the last byte is there. `mark` is kept with it, also by `copy`. Gives its version, where told. */
  upload(key: string, bytes: Readable, mark: string, signal: AbortSignal): Promise<string | undefined>
  mark(key: string, signal: AbortSignal): Promise<string | undefined>
  /** In the store itself, not through this node. False when `ifAbsent` and there is one. */
  copy(from: ObjectFacts, to: string, options: { readonly ifAbsent: boolean; readonly mark: string }, signal: AbortSignal): Promise<boolean>
  delete(keys: readonly string[], signal: AbortSignal): Promise<void>
  /** Takes away what uploads have left that were never finished, of keys that begin so. */
  dropUploads(prefix: string, signal: AbortSignal): Promise<void>
  /** Left out where a copy within the store costs nothing. */
  readonly held?: HeldUploads
  close(): void
}
