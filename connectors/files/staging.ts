import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '@postern/protocol/fault.ts'
import { z } from 'zod'
import type { Slot } from '../contract.ts'
import { errnoOf, fileFault } from './faults.ts'

const RecordSchema = z.object({
  task: z.string(),
  part: z.int().nonnegative(),
  attempt: z.int(),
  /** Name of the data file in the staging folder. */
  file: z.string().regex(/^part-[^/\\]*$/),
  rows: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  sha256: z.string(),
})
/** A commit record: it is there or not, and names the one file that counts. */
export type CommitRecord = z.output<typeof RecordSchema>

const RECORD = '.commit.json'

/**
 * The hidden folder beside the target where a run's parts wait for publishing. Each attempt writes a file of its own; what
 * makes it count is the commit record of its task, made by link(2), which fails where there is one: a second attempt and a
 * zombie lose, whenever they come.
 */
export class Staging {
  readonly path: string
  readonly title: string

  constructor(path: string, title: string) {
    this.path = path
    this.title = title
  }

  async create(): Promise<void> {
    try {
      await mkdir(this.path, { recursive: true })
    } catch (cause) {
      throw fileFault(cause, this.title)
    }
  }

  async exists(): Promise<boolean> {
    return (await this.#names()) !== undefined
  }

  /** A name that no other attempt has, nor an earlier start of this one. */
  newFile(part: number, attempt: number, ending: string): string {
    return join(this.path, `${partName(part)}.a${attempt}-${randomUUID().slice(0, 8)}${ending}`)
  }

  async record(task: string): Promise<CommitRecord | undefined> {
    try {
      const parsed = RecordSchema.safeParse(JSON.parse(await readFile(this.#recordPath(task), 'utf8')))
      return parsed.success && parsed.data.task === task ? parsed.data : undefined
    } catch (cause) {
      // A torn record is none: it can only be one of a file system without links, see #claim.
      if (errnoOf(cause) === 'ENOENT' || cause instanceof SyntaxError) return undefined
      throw fileFault(cause, this.title)
    }
  }

  async records(): Promise<readonly CommitRecord[]> {
    const records: CommitRecord[] = []
    for (const name of (await this.#names()) ?? []) {
      if (!name.endsWith(RECORD)) continue
      const record = await this.record(decodeURIComponent(name.slice(0, -RECORD.length)))
      if (record) records.push(record)
    }
    return records.toSorted((a, b) => a.part - b.part)
  }

  /** All or nothing, once for each task. */
  async commit(slot: Slot, record: CommitRecord): Promise<void> {
    const path = this.#recordPath(slot.task)
    const draft = `${path}.${randomUUID().slice(0, 8)}.tmp`
    try {
      await writeDurably(draft, JSON.stringify(record))
      if (!(await this.#claim(draft, path))) {
        if (await this.record(slot.task))
          throw new Fault('COMMIT_LOST', { at: this.title, details: { task: slot.task, attempt: slot.attempt } })
        await rename(draft, path)
      }
      await syncFolder(this.path)
    } catch (cause) {
      throw fileFault(cause, this.title)
    } finally {
      await rm(draft, { force: true })
    }
  }

  /** False where a record exists. File systems without links get an exclusive file: it can be torn by a crash, and then is none. */
  async #claim(draft: string, path: string): Promise<boolean> {
    try {
      await link(draft, path)
      return true
    } catch (cause) {
      if (errnoOf(cause) === 'EEXIST') return false
      if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(errnoOf(cause))) throw cause
    }
    try {
      await writeDurably(path, await readFile(draft, 'utf8'))
      return true
    } catch (cause) {
      if (errnoOf(cause) === 'EEXIST') return false
      throw cause
    }
  }

  /** A file of an attempt that lost. */
  async drop(path: string): Promise<void> {
    await rm(path, { force: true }).catch(() => undefined)
  }

  async remove(): Promise<void> {
    try {
      await rm(this.path, { recursive: true, force: true, maxRetries: 3 })
    } catch (cause) {
      throw fileFault(cause, this.title)
    }
  }

  #recordPath(task: string): string {
    return join(this.path, `${encodeURIComponent(task)}${RECORD}`)
  }

  async #names(): Promise<readonly string[] | undefined> {
    try {
      return await readdir(this.path)
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT') return undefined
      throw fileFault(cause, this.title)
    }
  }
}

export function partName(part: number): string {
  return `part-${String(part).padStart(5, '0')}`
}

/** A new file, on the disk when this returns. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o644)
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
