/** Changes of files that are on the disk when they return, and are seen whole or not at all. Absolute paths. */
import { createHash } from 'node:crypto'
import { link, open, readFile, rename, rm, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Fault } from '@postern/protocol/fault.ts'
import { errnoOf } from './faults.ts'

/** File systems without links say so in one of these ways. */
const WITHOUT_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/**
 * False where there is a file: link(2) fails there, whoever comes second. File systems without links get an exclusive file instead:
 * it can be torn by a crash.
 */
export async function createOnce(path: string, text: string): Promise<boolean> {
  const draft = draftOf(path, text)
  try {
    await writeDurably(draft, text, 'w')
    const made = await claim(draft, path)
    if (made) await syncFolder(dirname(path))
    return made
  } finally {
    await rm(draft, { force: true })
  }
}

async function claim(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path)
    return true
  } catch (cause) {
    if (errnoOf(cause) === 'EEXIST') return false
    if (!WITHOUT_LINKS.has(errnoOf(cause))) throw cause
  }
  try {
    await writeDurably(path, await readFile(draft, 'utf8'), 'wx')
    return true
  } catch (cause) {
    if (errnoOf(cause) === 'EEXIST') return false
    throw cause
  }
}

/** By one rename. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const draft = draftOf(path, text)
  try {
    await writeDurably(draft, text, 'w')
    await rename(draft, path)
    await syncFolder(dirname(path))
  } finally {
    await rm(draft, { force: true })
  }
}

/** Without `replace`: where two links to one file are left by a crash in between, it goes on from there. */
export async function renameOver(from: string, to: string, replace: boolean): Promise<void> {
  if (replace) {
    await rename(from, to)
    return
  }
  try {
    await link(from, to)
  } catch (cause) {
    if (WITHOUT_LINKS.has(errnoOf(cause))) {
      if (await isThere(to)) throw new Fault('FILE_EXISTS', { at: to })
      await rename(from, to)
      return
    }
    if (errnoOf(cause) !== 'EEXIST') throw cause
    const [a, b] = await Promise.all([stat(from), stat(to)])
    if (a.ino !== b.ino || a.dev !== b.dev) throw cause
  }
  await unlink(from)
}

/** Hidden, beside the file. Named by what is in it: who tries again after a crash takes up what was left, and takes it away. */
function draftOf(path: string, text: string): string {
  return join(dirname(path), `.${basename(path)}.${createHash('sha256').update(text).digest('hex').slice(0, 12)}.tmp`)
}

async function writeDurably(path: string, text: string, flags: 'w' | 'wx'): Promise<void> {
  const file = await open(path, flags, 0o644)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Makes renames and links in it last. Windows has no such thing, and needs none. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } catch (cause) {
    // Some network file systems cannot.
    if (!['EINVAL', 'ENOTSUP', 'EPERM'].includes(errnoOf(cause))) throw cause
  } finally {
    await folder.close()
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return false
    throw cause
  }
}
