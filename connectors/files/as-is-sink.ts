/** The target of files that are copied as they are: staged under names of their own, published under those they have. */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { Fault } from '@postern/protocol/fault.ts'
import type { Commit, PartWrite } from '../copy-contract.ts'
import { type UnpackedFile, unpackBundle } from './bundle.ts'
import { fileFault, stopIfAborted } from './faults.ts'
import type { Manifest } from './manifest.ts'
import type { Place } from './place.ts'
import { below, fewAtOnce, folderOf, gone, MOVES, type PublishParts, shortRun } from './publish.ts'
import type { TargetOwn } from './sink.ts'
import type { CommitRecord, OneFileRecord, Staging } from './staging.ts'

/** What an attempt that failed leaves is taken away, also when its own time is up. */
const CLEAN_UP_MS = 30_000

export type AsIsRecord = OneFileRecord & { readonly files: NonNullable<OneFileRecord['files']> }

export function isAsIs(record: CommitRecord): record is AsIsRecord {
  return 'files' in record && record.files !== undefined
}

/** Of the file at a place in the record. */
export function stagedName(record: Pick<CommitRecord, 'file'>, index: number): string {
  return `${record.file}.${index}`
}

export async function writeAsIs(request: PartWrite, place: Place, staging: Staging, signal: AbortSignal): Promise<Commit> {
  const { target, slot, part, bytes, agree, replaces } = request
  const file = staging.newFile(part, slot.attempt, '')
  let taken = 0
  try {
    const take = async (_: unknown, content: Readable) => {
      const path = staging.pathOf(stagedName({ file }, taken++))
      await putFile(place, path, content, signal)
    }
    const files = await unpackBundle(bytes, take, signal)
    stopIfAborted(signal)
    agree(files.length)
    const record: AsIsRecord = {
      task: slot.task,
      part,
      attempt: slot.attempt,
      file,
      rows: files.length,
      bytes: files.reduce((sum, each) => sum + each.bytes, 0),
      sha256: hashOf(files),
      files: files.map((each) => [each.path, each.bytes, each.sha256]),
      ...(replaces && { replaces: [...replaces] }),
    }
    await staging.commit(slot, record, signal)
    return { rows: record.rows, bytes: record.bytes, attempt: slot.attempt }
  } catch (cause) {
    const late = AbortSignal.timeout(CLEAN_UP_MS)
    await fewAtOnce([...Array(taken).keys()], MOVES, (index) => staging.drop(stagedName({ file }, index), late))
    stopIfAborted(signal)
    throw fileFault(cause, target.title)
  }
}

async function putFile(place: Place, path: string, content: Readable, signal: AbortSignal): Promise<void> {
  if (!place.writable) {
    if (!place.write) throw new Fault('INTERNAL', { at: `${place.title} cannot be written` })
    await place.write(path, content, signal)
    return
  }
  const file = await open(await place.writable(path), 'wx', 0o644)
  try {
    for await (const chunk of content as AsyncIterable<Buffer>) {
      for (let left = chunk; left.length > 0; ) left = left.subarray((await file.write(left)).bytesWritten)
    }
    await file.sync()
  } finally {
    await file.close()
  }
}

function hashOf(files: readonly UnpackedFile[]): string {
  const hash = createHash('sha256')
  for (const { path, sha256 } of files) hash.update(`${path}\0${sha256}\n`)
  return hash.digest('hex')
}

/**
 * The name under which a file is published: its own. Where the manifest that is replaced has one of that name, the run's id goes before
 * the ending: who follows a manifest never sees the files of another under it.
 */
export function namesFor(old: Manifest | undefined, run: string): (name: string) => string {
  const taken = new Set(old && old.run !== run ? old.files.map(({ name }) => name) : [])
  return (name) => {
    if (!taken.has(name)) return name
    const file = name.slice(name.lastIndexOf('/') + 1)
    const dot = file.indexOf('.', 1)
    const at = name.length - file.length + (dot < 0 ? file.length : dot)
    return `${name.slice(0, at)}-${shortRun(run)}${name.slice(at)}`
  }
}

/** Moves the files to their names, where an earlier try has not. Tells them as the manifest lists them. */
export async function moveAsIs(
  { place, staging, run }: Pick<PublishParts, 'place' | 'staging' | 'run'>,
  own: TargetOwn,
  moving: { readonly records: readonly AsIsRecord[]; readonly old: Manifest | undefined; readonly again?: boolean },
  signal: AbortSignal,
): Promise<Manifest['files']> {
  const finalName = namesFor(moving.old, run)
  const all = moving.records.flatMap((record) =>
    record.files.map(([path, bytes, sha256], index) => {
      const name = finalName(path)
      return {
        name,
        ...(name !== path && { from: path }),
        part: record.part,
        bytes,
        sha256,
        staged: staging.pathOf(stagedName(record, index)),
      }
    }),
  )
  const folders = new Set(all.map(({ name }) => folderOf(name)))
  for (const folder of folders) if (folder !== '') await place.makeFolder(below(own, folder))
  await fewAtOnce(all, MOVES, async ({ name, bytes, staged }) => {
    const to = below(own, name)
    if ((await place.file(staged, signal)) !== undefined)
      await place.move(staged, to, own.mode === 'overwrite' || moving.again === true, signal)
    else if ((await place.file(to, signal))?.bytes !== bytes) throw gone(own)
  })
  for (const folder of folders) if (folder !== '') await place.settle(below(own, folder))
  return all.map(({ staged: _, ...file }) => ({ ...file, rows: null }))
}

/** Takes back what an unfinished publish has moved: what is no more in staging and has the bytes that it had there. */
export async function withdrawAsIs(
  { place, staging, run }: Pick<PublishParts, 'place' | 'staging' | 'run'>,
  own: TargetOwn,
  moved: { readonly records: readonly AsIsRecord[]; readonly old: Manifest | undefined },
  signal: AbortSignal,
): Promise<void> {
  const finalName = namesFor(moved.old, run)
  const all = moved.records.flatMap((record) =>
    record.files.map(([name, bytes], index) => ({
      to: below(own, finalName(name)),
      bytes,
      staged: staging.pathOf(stagedName(record, index)),
    })),
  )
  await fewAtOnce(all, MOVES, async ({ to, bytes, staged }) => {
    if ((await place.file(staged, signal)) !== undefined) return
    if ((await place.file(to, signal))?.bytes === bytes) await place.remove(to, signal)
  })
}
