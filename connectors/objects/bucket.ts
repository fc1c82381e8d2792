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
  close(): void
}
