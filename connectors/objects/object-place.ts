import { PassThrough, pipeline, type Readable } from 'node:stream'
import { Fault } from '@postern/protocol/fault.ts'
import { fileFault, stopIfAborted } from '../files/faults.ts'
import { partsOf } from '../files/folder.ts'
import type { ByteRange, FoundFile, Holding, LocalFiles, Place, PlaceEntry } from '../files/place.ts'
import type { Bucket } from './bucket.ts'
import { globPattern } from './glob-pattern.ts'
import { HeldFiles } from './held-files.ts'
import type { ScratchCopies } from './scratch-copies.ts'

/** In a room this object says that the room is there: object stores have no empty folders. */
const ROOM_MARK = '_room'
/** Of the objects that are read whole into memory: manifests and commit records. */
const SMALL_BYTES = 64 << 20
/** Keys that one request deletes. */
const DELETE_AT_ONCE = 1_000

/** A prefix of a bucket or container as a place of files: the "/" in keys make its folders. */
export class ObjectPlace implements Place {
  readonly title: string
  readonly #bucket: Bucket
  readonly #prefix: string
  readonly #copies: ScratchCopies
  readonly #held: HeldFiles | undefined
  /** "Only if absent" has been refused once as it must. */
  #exclusive = false

  /** `prefix` as a person writes it. */
  constructor(bucket: Bucket, prefix: string, copies: ScratchCopies) {
    this.#bucket = bucket
    const parts = partsOf(prefix.replace(/^\/+/, ''))
    this.#prefix = parts.map((part) => `${part}/`).join('')
    this.title = `${bucket.title}${this.#prefix === '' ? '' : `, prefix ${this.#prefix}`}`
    this.#copies = copies
    const { held: uploads } = bucket
    const key = (path: string) => this.#key(path)
    this.#held = uploads && new HeldFiles({ bucket, uploads, key, markOf, readNote: (at, signal) => this.#small(at, at, signal) })
  }

  get holding(): Holding | undefined {
    return this.#held
  }

  async check(signal: AbortSignal): Promise<string> {
    for await (const _ of this.#bucket.list(this.#prefix, true, signal)) break
    return this.title
  }

  async canonical(path: string): Promise<string> {
    return partsOf(path).join('/')
  }

  async file(path: string, signal: AbortSignal): Promise<FoundFile | undefined> {
    const found = path.endsWith('/') || partsOf(path).length === 0 ? undefined : await this.#bucket.head(this.#key(path), signal)
    return found && { path: partsOf(path).join('/'), bytes: found.bytes, version: found.version }
  }

  async names(path: string, signal: AbortSignal): Promise<readonly PlaceEntry[] | undefined> {
    const below = this.#folderKey(path)
    const entries = new Map<string, PlaceEntry>()
    let found = false
    for await (const listed of this.#bucket.list(below, true, signal)) {
      found = true
      const name = ('prefix' in listed ? listed.prefix : listed.key).slice(below.length).replace(/\/$/, '')
      // "" is what some programs put to make an empty folder; a name that a path cannot say is out of reach.
      if (name === '' || name.includes('/') || name === '.' || name === '..') continue
      if ('prefix' in listed) entries.set(`${name}/`, { name, folder: true })
      else entries.set(name, { name, folder: false, bytes: listed.bytes, version: listed.version })
    }
    return found || below === this.#prefix ? [...entries.values()] : undefined
  }

  async match(pattern: string, max: number, signal: AbortSignal): Promise<readonly FoundFile[]> {
    const { prefix, matches } = globPattern(partsOf(pattern).join('/'))
    const found: FoundFile[] = []
    for await (const listed of this.#bucket.list(this.#prefix + prefix, false, signal)) {
      if ('prefix' in listed) continue
      const path = listed.key.slice(this.#prefix.length)
      if (path.endsWith('/') || !isPlain(path) || !matches(path)) continue
      found.push({ path, bytes: listed.bytes, version: listed.version })
      if (found.length > max) break
    }
    return found.sort((a, b) => (a.path < b.path ? -1 : 1))
  }

  read(path: string, range?: ByteRange, version?: string): Readable {
    const out = new PassThrough({ highWaterMark: 1 << 20 })
    const stop = new AbortController()
    out.once('close', () => stop.abort(new Fault('CANCELLED')))
    const open = async () => {
      const bytes = await this.#bucket.get(this.#key(path), { range, version }, stop.signal)
      if (!bytes) throw new Fault('FILE_MISSING', { at: path })
      pipeline(bytes, out, (cause) => {
        if (cause) out.destroy(new Fault('STORE_LOST', { at: `${path}: the connection ended before the object did.`, cause }))
      })
    }
    open().catch((cause) => out.destroy(fileFault(cause, path)))
    return out
  }

  text(path: string, signal: AbortSignal): Promise<string | undefined> {
    return this.#small(this.#key(path), path, signal)
  }

  /** One request: to ask for the size before is a second one, which takes as long. */
  async #small(key: string, path: string, signal: AbortSignal): Promise<string | undefined> {
    const bytes = await this.#bucket.get(key, {}, signal)
    if (!bytes) return undefined
    const chunks: Buffer[] = []
    let size = 0
    try {
      for await (const chunk of bytes as AsyncIterable<Buffer>) {
        size += chunk.length
        if (size > SMALL_BYTES) throw new Fault('INPUT_INVALID', { at: `${path} is larger than ${SMALL_BYTES} bytes.` })
        chunks.push(chunk)
      }
    } catch (cause) {
      throw fileFault(cause, path)
    }
    return Buffer.concat(chunks).toString()
  }

  local(files: readonly FoundFile[], signal: AbortSignal): Promise<LocalFiles> {
    return this.#copies.of(files, (file) => this.read(file.path, undefined, file.version), signal)
  }

  write(path: string, bytes: Readable, signal: AbortSignal): Promise<string | undefined> {
    return this.#bucket.upload(this.#key(path), bytes, markOf(path), signal)
  }

  putNew(path: string, text: string, signal: AbortSignal): Promise<boolean> {
    return this.#bucket.put(this.#key(path), Buffer.from(text), true, signal)
  }

  async put(path: string, text: string, signal: AbortSignal): Promise<void> {
    await this.#bucket.put(this.#key(path), Buffer.from(text), false, signal)
  }

  async move(from: string, to: string, replace: boolean, signal: AbortSignal): Promise<void> {
    const source = await this.#bucket.head(this.#key(from), signal)
    if (!source) throw new Fault('FILE_MISSING', { at: from })
    const copied = await this.#bucket.copy(source, this.#key(to), { ifAbsent: !replace, mark: markOf(from) }, signal)
    // What is there may be the same file, of a move that was cut short before it took the old one away.
    if (!copied && (await this.#bucket.mark(this.#key(to), signal)) !== markOf(from)) throw new Fault('FILE_EXISTS', { at: to })
    await this.#bucket.delete([source.key], signal)
  }

  async makeFolder(): Promise<void> {
    // A folder is there when an object is in it.
  }

  async settle(): Promise<void> {
    // What the store has answered, lasts.
  }

  async remove(path: string, signal: AbortSignal): Promise<void> {
    await this.#bucket.delete([this.#key(path)], signal)
  }

  async makeRoom(path: string, signal: AbortSignal): Promise<{ readonly exclusive: boolean }> {
    const mark = this.#key(`${path}/${ROOM_MARK}`)
    const made = await this.#bucket.put(mark, Buffer.from('{}'), true, signal)
    // The second time it must be refused; who does not, ignores the condition. A server that has refused once need not be asked again.
    this.#exclusive ||= !made || !(await this.#bucket.put(mark, Buffer.from('{}'), true, signal))
    return { exclusive: this.#exclusive }
  }

  async hasRoom(path: string, signal: AbortSignal): Promise<boolean> {
    return (await this.#bucket.head(this.#key(`${path}/${ROOM_MARK}`), signal)) !== undefined
  }

  /** The mark goes first: from then on no attempt begins or commits here. */
  async clearRoom(path: string, signal: AbortSignal): Promise<void> {
    const below = this.#folderKey(path)
    await this.#bucket.delete([`${below}${ROOM_MARK}`], signal)
    await this.#bucket.dropUploads(below, signal)
    let keys: string[] = []
    const clear = async () => {
      await this.#held?.dropNoted(keys, signal)
      await this.#bucket.delete(keys, signal)
      keys = []
    }
    for await (const listed of this.#bucket.list(below, false, signal)) {
      if ('prefix' in listed) continue
      keys.push(listed.key)
      if (keys.length >= DELETE_AT_ONCE) await clear()
      stopIfAborted(signal)
    }
    await clear()
  }

  #key(path: string): string {
    return this.#prefix + partsOf(path).join('/')
  }

  #folderKey(path: string): string {
    return (
      this.#prefix +
      partsOf(path)
        .map((part) => `${part}/`)
        .join('')
    )
  }
}

/** No other attempt has a file of this name: see Staging.newFile. */
function markOf(path: string): string {
  return encodeURIComponent(path.slice(path.lastIndexOf('/') + 1))
}

/** Keys with empty steps, "." or ".." are keys like others to a store, but no paths. */
function isPlain(path: string): boolean {
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}
