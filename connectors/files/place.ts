import type { Readable } from 'node:stream'

export interface FoundFile {
  /** Below the place, with "/". */
  readonly path: string
  readonly bytes: number
  /** Another one after every change: a time of writing, an etag. Where the place knows one. */
  readonly version?: string
}

/** From a byte, up to another that is not in it. */
export interface ByteRange {
  readonly from: number
  readonly to: number
}

export interface PlaceEntry {
  readonly name: string
  readonly folder: boolean
  /** Where listing says it. */
  readonly bytes?: number
  readonly version?: string
}

/** What was written is in the store, but no file yet: `complete` makes it one, in whatever process. JSON. */
export interface HeldFile {
  readonly id: string
  readonly tags: readonly string[]
}

/** Where a file is written whose name is not to be seen yet. */
export interface HoldAt {
  /** In a room: where it is put if it is not held back. */
  readonly staged: string
  readonly final: string
}

/** A place that can take the bytes of a file to where they will be, without a copy or a move when it is to be seen. */
export interface Holding {
  /** Only files may be held back whose final names no other program writes: what a lost attempt has left there would be in its way. */
  readonly ownNamesOnly: boolean
  /** A file at `staged` of that version, or one that is held back. When this fails, there is neither. */
  write(at: HoldAt, bytes: Readable, signal: AbortSignal): Promise<{ readonly version?: string | undefined; readonly held?: HeldFile }>
  /** All of it is there still. */
  isThere(at: HoldAt, held: HeldFile, signal: AbortSignal): Promise<boolean>
  /** As `move`, also where an earlier one was cut short. False where what was held is gone, and the file it became is not there. */
  complete(at: HoldAt, held: HeldFile, replace: boolean, signal: AbortSignal): Promise<boolean>
  /** Never fails. */
  drop(at: HoldAt, held: HeldFile, signal: AbortSignal): Promise<void>
}

/** Files where DuckDB can open them, in the order they were asked for, while this is not disposed. */
export interface LocalFiles extends AsyncDisposable {
  readonly paths: readonly string[]
  /** What they are below, under the same paths, where they are copies. */
  readonly folder?: string
}

/** What can be asked without moving bytes through this process; paths and failures as for `Place`. */
export interface PlaceView {
  /** The file, or undefined when there is none; a folder is not one. */
  file(path: string, signal: AbortSignal): Promise<FoundFile | undefined>
  /** What is in a folder; undefined when there is no such folder. */
  names(path: string, signal: AbortSignal): Promise<readonly PlaceEntry[] | undefined>
  /** Files that match, in the order of their names; at most `max` and one, so that the caller sees that there are more. */
  match(pattern: string, max: number, signal: AbortSignal): Promise<readonly FoundFile[]>
  /** All of a small file; undefined when there is none. */
  text(path: string, signal: AbortSignal): Promise<string | undefined>
  local(files: readonly FoundFile[], signal: AbortSignal): Promise<LocalFiles>
}

/**
 * Where the files of a store are: a folder of the node, a bucket, a container. All paths are below it, with "/"; what leads out of it
 * (an absolute path, "..", a link) is PATH_OUTSIDE. Every failure is a Fault.
 */
export interface Place extends PlaceView {
  /** For a person: "folder /srv/lake". */
  readonly title: string
  /** Really looks into it, and says what answered. */
  check(signal: AbortSignal): Promise<string>
  /** The folder itself, where it is one that DuckDB may be let into. */
  root?(): Promise<string>
  /** The same path without detours: links resolved, no "/" at the end; "" is the place itself. */
  canonical(path: string): Promise<string>

  /** The bytes of a file, or of a range of it; of that version, where the place knows versions. Destroying it lets go of everything. */
  read(path: string, range?: ByteRange, version?: string): Readable

  // ── writing ──
  /** Where a program may write the file by itself (then `settle` it). Left out where bytes can only be handed to `write`. */
  writable?(path: string): Promise<string>
  /** A new file of these bytes; gives its version, where the place knows one. When this fails, or the process dies, there is none. */
  write?(path: string, bytes: Readable, signal: AbortSignal): Promise<string | undefined>
  /** Left out where a move costs next to nothing. */
  readonly holding?: Holding | undefined
  /** A new small file, whole or not at all; false when there is one already: of two that try, one succeeds. */
  putNew(path: string, text: string, signal: AbortSignal): Promise<boolean>
  /** A small file, in the place of one that may be there: readers see the old one or the new one. */
  put(path: string, text: string, signal: AbortSignal): Promise<void>
  /**
   * Readers of `to` see nothing, the file it replaces, or all of it. Without `replace` it fails with FILE_EXISTS where there is one.
   * Where an earlier move of the same file was cut short, it goes on from there.
   */
  move(from: string, to: string, replace: boolean, signal: AbortSignal): Promise<void>
  /** Where folders are things of their own. */
  makeFolder(path: string): Promise<void>
  /** After this, moves into a folder last, whatever happens to the machine. */
  settle(folder: string): Promise<void>
  /** No failure when there is none. */
  remove(path: string, signal: AbortSignal): Promise<void>

  // ── rooms: hidden folders in which runs keep what nobody shall see ──
  /** `exclusive` is what `putNew` promises: it is tried there, since not every server keeps it. */
  makeRoom(path: string, signal: AbortSignal): Promise<{ readonly exclusive: boolean }>
  hasRoom(path: string, signal: AbortSignal): Promise<boolean>
  /** With all that is in it, also what was never finished. */
  clearRoom(path: string, signal: AbortSignal): Promise<void>
}
