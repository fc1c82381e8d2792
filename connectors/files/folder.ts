import { constants, createReadStream } from 'node:fs'
import { access, glob, mkdir, readdir, readFile, realpath, rm, stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path'
import { PassThrough, pipeline, type Readable } from 'node:stream'
import { Fault } from '@postern/protocol/fault.ts'
import { createOnce, renameOver, replaceFile, syncFolder } from './durable.ts'
import { errnoOf, fileFault, stopIfAborted } from './faults.ts'
import type { ByteRange, FoundFile, LocalFiles, Place, PlaceEntry } from './place.ts'
import { fewAtOnce } from './publish.ts'

/** Files that are looked at a time: each is a wait for the file system. */
export const LOOKS = 8

/** A folder of the node. Nothing outside of it can be named through this, by "..", an absolute path or a link. */
export class Folder implements Place {
  readonly path: string
  readonly title: string
  #real: string | undefined

  constructor(path: string) {
    this.path = path
    this.title = `folder ${path}`
  }

  root(): Promise<string> {
    return this.real()
  }

  /** The folder as it really is, links resolved. Fails when it is not there. */
  async real(): Promise<string> {
    if (this.#real) return this.#real
    const at = `folder ${this.path}`
    try {
      const real = await realpath(this.path)
      if (!(await stat(real)).isDirectory()) throw new Fault('FILE_MISSING', { at: `${at} is not a folder` })
      this.#real = real
      return real
    } catch (cause) {
      throw fileFault(cause, at)
    }
  }

  async check(): Promise<string> {
    const real = await this.real()
    try {
      await readdir(real)
    } catch (cause) {
      throw fileFault(cause, `folder ${this.path}`)
    }
    const writable = await access(real, constants.W_OK).then(
      () => true,
      () => false,
    )
    return `${this.title}${writable ? '' : ' (read-only)'}`
  }

  async canonical(path: string): Promise<string> {
    return relative(await this.real(), await this.resolve(path))
      .split(sep)
      .join('/')
  }

  /** Absolute and real. The last parts need not exist yet: then the deepest one that does decides whether it is inside. */
  async resolve(path: string): Promise<string> {
    const parts = partsOf(path)
    const root = await this.real()
    const missing: string[] = []
    for (let at = join(root, ...parts); ; at = dirname(at)) {
      try {
        const real = await realpath(at)
        if (real !== root && !real.startsWith(root.endsWith(sep) ? root : root + sep)) throw outside(path)
        return join(real, ...missing)
      } catch (cause) {
        if (errnoOf(cause) !== 'ENOENT' || at === root) throw fileFault(cause, path)
        missing.unshift(basename(at))
      }
    }
  }

  /** The file, or undefined when there is none; a folder is not one. */
  async file(path: string): Promise<FoundFile | undefined> {
    try {
      const found = await stat(await this.resolve(path))
      if (!found.isFile()) return undefined
      return { path: partsOf(path).join('/'), bytes: found.size, version: `${found.mtimeMs}` }
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR') return undefined
      throw fileFault(cause, path)
    }
  }

  /** Names in a folder below this one; undefined when there is no such folder. */
  async names(path: string): Promise<readonly PlaceEntry[] | undefined> {
    try {
      const at = await this.resolve(path)
      const entries = await readdir(at, { withFileTypes: true })
      return await Promise.all(
        entries.map(async (entry) => ({
          name: entry.name,
          folder: entry.isSymbolicLink()
            ? await stat(join(at, entry.name)).then(
                (found) => found.isDirectory(),
                () => false,
              )
            : entry.isDirectory(),
        })),
      )
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR') return undefined
      throw fileFault(cause, path)
    }
  }

  async match(pattern: string, max: number, signal: AbortSignal): Promise<readonly FoundFile[]> {
    const found: FoundFile[] = []
    let paths: string[] = []
    const look = async () => {
      const files = await fewAtOnce(paths, LOOKS, (path) => this.file(path))
      found.push(...files.filter((file) => file !== undefined))
      paths = []
    }
    for await (const path of glob(partsOf(pattern).join('/'), { cwd: await this.real() })) {
      stopIfAborted(signal)
      paths.push(path.split(sep).join('/'))
      if (paths.length >= LOOKS * 16) await look()
      if (found.length > max) break
    }
    await look()
    return found.sort((a, b) => (a.path < b.path ? -1 : 1))
  }

  read(path: string, range?: ByteRange): Readable {
    const out = new PassThrough({ highWaterMark: 1 << 18 })
    const open = async () => {
      const part = range ? { start: range.from, end: range.to - 1 } : {}
      const file = createReadStream(await this.resolve(path), {
        highWaterMark: Math.min(1 << 18, range ? range.to - range.from : 1 << 18),
        ...part,
      })
      pipeline(file, out, () => undefined)
    }
    open().catch((cause) => out.destroy(fileFault(cause, path)))
    return out
  }

  async text(path: string): Promise<string | undefined> {
    try {
      return await readFile(await this.resolve(path), 'utf8')
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR') return undefined
      throw fileFault(cause, path)
    }
  }

  async local(files: readonly FoundFile[]): Promise<LocalFiles> {
    return { paths: await Promise.all(files.map(({ path }) => this.resolve(path))), [Symbol.asyncDispose]: async () => undefined }
  }

  writable(path: string): Promise<string> {
    return this.resolve(path)
  }

  putNew(path: string, text: string): Promise<boolean> {
    return this.#at(path, (at) => createOnce(at, text))
  }

  put(path: string, text: string): Promise<void> {
    return this.#at(path, (at) => replaceFile(at, text))
  }

  async move(from: string, to: string, replace: boolean): Promise<void> {
    const source = await this.resolve(from)
    await this.#at(to, (at) => renameOver(source, at, replace))
  }

  async makeFolder(path: string): Promise<void> {
    await this.#at(path, (at) => mkdir(at, { recursive: true }))
  }

  settle(folder: string): Promise<void> {
    return this.#at(folder, syncFolder)
  }

  remove(path: string): Promise<void> {
    return this.#at(path, (at) => rm(at, { force: true }))
  }

  async makeRoom(path: string): Promise<{ readonly exclusive: boolean }> {
    await this.makeFolder(path)
    return { exclusive: true }
  }

  async hasRoom(path: string): Promise<boolean> {
    // Not by the names in it: with thousands of files these take longer than to write one.
    try {
      return (await stat(await this.resolve(path))).isDirectory()
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR') return false
      throw fileFault(cause, path)
    }
  }

  clearRoom(path: string): Promise<void> {
    return this.#at(path, (at) => rm(at, { recursive: true, force: true, maxRetries: 3 }))
  }

  async #at<T>(path: string, work: (absolute: string) => Promise<T>): Promise<T> {
    try {
      return await work(await this.resolve(path))
    } catch (cause) {
      throw fileFault(cause, path)
    }
  }
}

/** The steps of a path below the folder. */
export function partsOf(path: string): readonly string[] {
  const slashed = sep === '\\' ? path.replaceAll('\\', '/') : path
  if (isAbsolute(path) || slashed.startsWith('/') || path.includes('\0')) throw outside(path)
  const parts = slashed.split('/').filter((part) => part !== '' && part !== '.')
  // "C:" alone would also leave the folder on Windows.
  if (parts.includes('..') || (sep === '\\' && parts.some((part) => part.includes(':')))) throw outside(path)
  return parts
}

function outside(path: string): Fault {
  return new Fault('PATH_OUTSIDE', { at: path.replaceAll('\0', '?') })
}
