import { constants } from 'node:fs'
import { access, glob, readdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, sep } from 'node:path'
import { Fault } from '@postern/protocol/fault.ts'
import { errnoOf, fileFault, stopIfAborted } from './faults.ts'

export interface FoundFile {
  /** Below the folder, with "/". */
  readonly path: string
  readonly bytes: number
}

/** The folder of a store: nothing outside of it can be named through this, by "..", an absolute path or a link. */
export class Folder {
  readonly path: string
  #real: string | undefined

  constructor(path: string) {
    this.path = path
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

  async check(): Promise<{ readonly writable: boolean }> {
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
    return { writable }
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
      return found.isFile() ? { path: partsOf(path).join('/'), bytes: found.size } : undefined
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR') return undefined
      throw fileFault(cause, path)
    }
  }

  /** Names in a folder below this one; undefined when there is no such folder. */
  async names(path: string): Promise<readonly { readonly name: string; readonly folder: boolean }[] | undefined> {
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

  /** Paths that match, in the order of their names; at most `max` and one, so that the caller sees that there are more. */
  async match(pattern: string, max: number, signal: AbortSignal): Promise<readonly string[]> {
    const parts = partsOf(pattern)
    const found: string[] = []
    for await (const path of glob(parts.join('/'), { cwd: await this.real() })) {
      stopIfAborted(signal)
      found.push(path.split(sep).join('/'))
      if (found.length > max) break
    }
    return found.sort()
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
