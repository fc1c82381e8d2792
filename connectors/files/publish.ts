import { link, mkdir, readdir, rename, rm, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '@postern/protocol/fault.ts'
import type { Commit, Target } from '../contract.ts'
import { errnoOf, fileFault } from './faults.ts'
import { endingOf, isHidden, layoutOf } from './formats.ts'
import { MANIFEST, type Manifest, readManifest } from './manifest.ts'
import type { TargetOwn } from './sink.ts'
import { type CommitRecord, partName, type Staging, syncFolder, writeDurably } from './staging.ts'

export interface PublishParts {
  readonly target: Target
  readonly run: string
  readonly parts: readonly { readonly part: number; readonly task: string; readonly commit: Commit }[]
  readonly staging: Staging
}

/** One rename: readers see the old file or the new one. */
export async function publishFile({ parts, staging }: PublishParts, own: TargetOwn): Promise<void> {
  const [only] = parts
  if (!only) return
  try {
    const record = await staging.record(only.task)
    if (!record) {
      // Published before, and the staging folder is gone since.
      if ((await sizeOf(own.path)) === only.commit.bytes) return
      throw gone(own)
    }
    const staged = join(staging.path, record.file)
    if ((await sizeOf(staged)) !== undefined) {
      if (own.mode === 'overwrite') await rename(staged, own.path)
      else await renameOnce(staged, own.path)
      await syncFolder(join(own.path, '..'))
    } else if ((await sizeOf(own.path)) !== record.bytes) throw gone(own)
    await staging.remove()
  } catch (cause) {
    throw fileFault(cause, own.where)
  }
}

/** A rename that replaces nothing. Where two links to one file are left by a crash in between, it goes on from there. */
async function renameOnce(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (cause) {
    if (['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(errnoOf(cause))) {
      if ((await sizeOf(to)) !== undefined) throw new Fault('FILE_EXISTS', { at: to })
      await rename(from, to)
      return
    }
    if (errnoOf(cause) !== 'EEXIST') throw cause
    const [a, b] = await Promise.all([stat(from), stat(to)])
    if (a.ino !== b.ino || a.dev !== b.dev) throw cause
  }
  await unlink(from)
}

/**
 * Parts first, under names that no other run has, then the manifest by one rename: who follows the manifest sees all of the old
 * files or all of the new ones. What `overwrite` replaces goes last.
 */
export async function publishFolder(publish: PublishParts, own: TargetOwn): Promise<void> {
  const { run, staging } = publish
  try {
    let manifest = await readManifest(own.path, own.where)
    if (manifest?.run !== run) {
      if (manifest && own.mode === 'append') throw new Fault('FILE_EXISTS', { at: `${own.where}${MANIFEST}` })
      await mkdir(own.path, { recursive: true })
      manifest = await moveParts(publish, own)
      await putManifest(manifest, own)
    }
    if (own.mode === 'overwrite') await removeOthers(own, manifest)
    await staging.remove()
  } catch (cause) {
    throw fileFault(cause, own.where)
  }
}

async function moveParts({ run, parts, staging, target }: PublishParts, own: TargetOwn): Promise<Manifest> {
  const files: Manifest['files'] = []
  for (const { task } of parts.toSorted((a, b) => a.part - b.part)) {
    const record = await staging.record(task)
    if (!record) throw gone(own)
    const name = finalName(own, run, record)
    const staged = join(staging.path, record.file)
    if ((await sizeOf(staged)) !== undefined) await rename(staged, join(own.path, name))
    else if ((await sizeOf(join(own.path, name))) !== record.bytes) throw gone(own)
    files.push({ name, rows: record.rows, bytes: record.bytes, sha256: record.sha256 })
  }
  await syncFolder(own.path)
  const sum = (of: 'rows' | 'bytes') => files.reduce((total, file) => total + file[of], 0)
  const { format, compression } = own.layout
  return { version: 1, run, format, compression, rows: sum('rows'), bytes: sum('bytes'), columns: target.columns, files }
}

async function putManifest(manifest: Manifest, own: TargetOwn): Promise<void> {
  const draft = join(own.path, `.${MANIFEST}.${shortRun(manifest.run)}.tmp`)
  await rm(draft, { force: true })
  await writeDurably(draft, `${JSON.stringify(manifest, undefined, 2)}\n`)
  try {
    if (own.mode === 'overwrite') await rename(draft, join(own.path, MANIFEST))
    else await renameOnce(draft, join(own.path, MANIFEST))
  } finally {
    await rm(draft, { force: true })
  }
  await syncFolder(own.path)
}

/** Data files that the manifest does not name. Folders, hidden files and files of other programs stay. */
async function removeOthers(own: TargetOwn, manifest: Manifest): Promise<void> {
  const kept = new Set(manifest.files.map(({ name }) => name))
  for (const entry of await readdir(own.path, { withFileTypes: true })) {
    if (!entry.isDirectory() && !isHidden(entry.name) && layoutOf(entry.name) && !kept.has(entry.name)) await rm(join(own.path, entry.name))
  }
}

/** Takes back what an unfinished `publishFolder` has moved. A published run is left as it is. */
export async function withdraw(own: TargetOwn, run: string): Promise<void> {
  if (own.single) return
  try {
    if ((await readManifest(own.path, own.where))?.run === run) return
    for (const name of await readdir(own.path)) {
      if (name.startsWith('part-') && name.includes(`-${shortRun(run)}.`)) await rm(join(own.path, name), { force: true })
    }
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw fileFault(cause, own.where)
  }
}

/** Where publishing puts the file of a record: absolute. */
export function publishedFiles(own: TargetOwn, run: string, record: CommitRecord): string {
  return own.single ? own.path : join(own.path, finalName(own, run, record))
}

function finalName({ layout }: TargetOwn, run: string, record: CommitRecord): string {
  return `${partName(record.part)}-${shortRun(run)}${endingOf(layout)}`
}

/** Enough of a run's id to tell the runs in one folder apart. */
function shortRun(run: string): string {
  return run.replaceAll(/[^0-9A-Za-z]/g, '').slice(-12)
}

function gone(own: TargetOwn): Fault {
  return new Fault('ATTEMPT_STALE', { at: `${own.where}: what the run wrote is gone.`, remedy: 'Start the copy again.' })
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined
    throw cause
  }
}
