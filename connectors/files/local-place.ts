import { randomUUID } from 'node:crypto'
import { rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LocalPlace } from '../contract.ts'
import { errnoOf } from './faults.ts'
import type { Folder } from './folder.ts'

const MARK = '.postern-place-'
const READ_ONLY: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT'])

/** A path is another folder on another machine, unless it is a share: a file that appears in both tells. */
export function localFolder(folder: Folder): LocalPlace {
  return {
    title: folder.path,
    async mark() {
      const real = await folder.real()
      const name = `${MARK}${randomUUID()}`
      try {
        await writeFile(join(real, name), '', { flag: 'wx', mode: 0o600 })
      } catch (cause) {
        if (!READ_ONLY.has(errnoOf(cause))) throw cause
        return { text: await traits(real), [Symbol.asyncDispose]: async () => undefined }
      }
      return { text: name, [Symbol.asyncDispose]: () => rm(join(real, name), { force: true }) }
    },
    async sees(text) {
      const real = await folder.real()
      if (!text.startsWith(MARK)) return (await traits(real)) === text
      if (text.includes('/') || text.includes('\\')) return false
      return await stat(join(real, text)).then(
        () => true,
        () => false,
      )
    },
  }
}

/** Of a folder that may not be written: by chance the same on two machines only for a copy of the whole disk. */
async function traits(real: string): Promise<string> {
  const { ino, birthtimeMs, mtimeMs, size } = await stat(real)
  return `traits ${ino} ${birthtimeMs} ${mtimeMs} ${size}`
}
