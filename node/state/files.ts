import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Fault } from '@postern/protocol/fault.ts'

/** What the file system said, as a fault that names the path. */
export function fileFault(path: string, cause: unknown): Fault {
  const code = errorCode(cause)
  if (code === 'ENOSPC' || code === 'EDQUOT') return new Fault('DISK_FULL', { at: `(${path})`, cause })
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return new Fault('FILE_DENIED', { at: `(${path}: ${code})`, cause })
  return new Fault('CONFIG_INVALID', { at: `--data: ${path}: ${code ?? 'not usable'}`, cause })
}

export function errorCode(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined
}

/** After this returns the file holds all of `text`; whenever the machine stops, it holds either the old text or the new one. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await syncFolder(dirname(path))
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw fileFault(path, cause)
  }
}

/** The text of a file, or undefined when there is none. */
export async function readWhole(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return undefined
    throw fileFault(path, cause)
  }
}

export async function makeFolder(path: string): Promise<void> {
  try {
    // The parents that it makes on the way are nobody's secret: the database of a service beside the node must pass through them.
    await mkdir(dirname(path), { recursive: true })
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw fileFault(path, cause)
  }
}

/** Removes what writes that were cut short left behind. */
export async function removeTemporary(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.endsWith('.tmp')) await rm(join(folder, name), { force: true })
  }
}

/** A rename is lasting only when its folder is. Windows cannot sync a folder and needs not. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
