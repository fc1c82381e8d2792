import { Fault } from '@postern/protocol/fault.ts'
import type { Commit, Slot, Target } from '../copy-contract.ts'
import { isAsIs, moveAsIs, stagedName } from './as-is-sink.ts'
import { endingOf, layoutOf } from './formats.ts'
import { MANIFEST, type Manifest, MOST_FILES, readManifest } from './manifest.ts'
import { type Piece, piecesOf } from './pieces.ts'
import type { HeldFile, HoldAt, Place } from './place.ts'
import type { TargetOwn } from './sink.ts'
import { type CommitRecord, partName, type Staging } from './staging.ts'
import { inFolders, removeListed, removeOthers, removeReplaced } from './unpublish.ts'

export interface PublishParts {
  readonly target: Target
  readonly run: string
  readonly parts: readonly { readonly part: number; readonly task: string; readonly commit: Commit }[]
  readonly staging: Staging
  readonly place: Place
}

/** So many moves at once: each is a wait where the files are far away. Of the pieces of each part, where it has several. */
export const MOVES = 8
const PIECE_MOVES = 4

/** One move: readers see the old file or the new one. */
export async function publishFile({ parts, staging, place }: PublishParts, own: TargetOwn, signal: AbortSignal): Promise<void> {
  const [only] = parts
  if (!only) return
  const bytesOf = async (path: string) => (await place.file(path, signal))?.bytes
  const record = await staging.record(only.task, signal)
  if (!record) {
    // Published before, and the staging folder is gone since.
    if ((await bytesOf(own.path)) === only.commit.bytes) return
    throw gone(own)
  }
  const staged = staging.pathOf(isAsIs(record) ? stagedName(record, 0) : record.file)
  const replace = own.mode === 'overwrite' || record.replaces !== undefined
  const held = 'held' in record ? record.held : undefined
  if (held) await completeHeld(place, { staged, final: own.path }, { held, replace }, own, signal)
  else if ((await bytesOf(staged)) !== undefined) {
    await place.move(staged, own.path, replace, signal)
    await place.settle(folderOf(own.path))
  } else if ((await bytesOf(own.path)) !== record.bytes) throw gone(own)
  await staging.remove(signal)
}

interface Completing {
  readonly held: HeldFile
  readonly replace: boolean
}

async function completeHeld(place: Place, at: HoldAt, { held, replace }: Completing, own: TargetOwn, signal: AbortSignal): Promise<void> {
  if (!(await place.holding?.complete(at, held, replace, signal))) throw gone(own)
}

/**
 * Parts first, under names that no other run has, then the manifest, in one go: who follows the manifest sees all of the old
 * files or all of the new ones. What `overwrite` replaces goes last.
 */
export async function publishFolder(publish: PublishParts, own: TargetOwn, signal: AbortSignal): Promise<void> {
  const { run, staging, place } = publish
  let manifest = await readManifest(place, own.path, own.where, signal)
  if (manifest?.run !== run) {
    if (manifest && own.mode === 'append') throw manifestExists(own)
    await place.makeFolder(own.path)
    const old = manifest
    manifest = own.asIs ? await moveFiles(publish, own, old, signal) : await moveParts(publish, own, signal)
    // Those that lie in folders of the target, or do not look like data, are found in no other way: also not by whoever goes on after this.
    const listed = own.mode === 'overwrite' ? (old?.files ?? []) : []
    const unlikely = listed.flatMap(({ name }) => (name.includes('/') || !layoutOf(name) ? [name] : []))
    if (unlikely.length > 0) await place.put(staging.pathOf(REPLACED), JSON.stringify(unlikely), signal)
    await putManifest(place, manifest, own, signal)
    await removeListed(publish, own, { listed, manifest }, signal)
  } else {
    await removeListed(publish, own, { listed: await replacedBefore(publish, signal), manifest }, signal)
    manifest = await publishRepaired(publish, own, manifest, signal)
    if (manifest.repaired && !inFolders(own)) await removeReplaced(publish, own, manifest, signal)
  }
  if (own.mode === 'overwrite') await removeOthers(place, own, manifest, signal)
  await staging.remove(signal)
}

const REPLACED = 'replaced.json'

/** What an attempt was about to take away that put the manifest and was lost. */
async function replacedBefore({ place, staging }: PublishParts, signal: AbortSignal): Promise<readonly { readonly name: string }[]> {
  const text = await place.text(staging.pathOf(REPLACED), signal)
  return text === undefined ? [] : (JSON.parse(text) as readonly string[]).map((name) => ({ name }))
}

/** Parts of a published copy that were written again: new files, then one new manifest in the place of the old one, then the old files go. */
async function publishRepaired(publish: PublishParts, own: TargetOwn, old: Manifest, signal: AbortSignal): Promise<Manifest> {
  const { place, staging } = publish
  const done = new Set(old.repaired?.map(({ task }) => task))
  // Others are left by the attempt that published the copy, and was lost before it had cleared the room.
  const records = (await staging.records(signal)).filter(({ task, replaces }) => replaces !== undefined && !done.has(task))
  if (records.length === 0) return old
  const parts = records.map(({ part, task, rows, bytes, attempt }) => ({ part, task, commit: { rows, bytes, attempt } }))
  const again = { ...publish, parts }
  const fresh = own.asIs ? await moveFiles(again, own, old, signal) : await moveParts(again, own, signal)
  const written = new Set(records.map(({ part }) => part))
  const kept = old.files.filter(({ name, part }) => !written.has(part ?? partOfName(name)))
  const files = [...kept, ...fresh.files].sort((a, b) => (a.part ?? partOfName(a.name)) - (b.part ?? partOfName(b.name)))
  const rows = own.asIs ? old.rows : files.reduce((sum, file) => sum + (file.rows ?? 0), 0)
  const repaired = [
    ...(old.repaired ?? []),
    ...records.map(({ task, attempt, rows: count, bytes, skipped }) => {
      return { task, attempt, rows: count, bytes, ...(skipped !== undefined && { skipped }) }
    }),
  ]
  const manifest = { ...old, rows, bytes: files.reduce((sum, file) => sum + file.bytes, 0), files, repaired }
  await place.put(below(own, MANIFEST), textOf(manifest), signal)
  if (inFolders(own)) await removeListed(publish, own, { listed: old.files, manifest }, signal)
  return manifest
}

async function moveFiles(publish: PublishParts, own: TargetOwn, old: Manifest | undefined, signal: AbortSignal): Promise<Manifest> {
  const { staging, parts, run, target } = publish
  const records = (await fewAtOnce(parts, MOVES, ({ task }) => staging.record(task, signal))).map((record) => {
    if (!record || !isAsIs(record)) throw gone(own)
    return record
  })
  const inOrder = records.toSorted((a, b) => a.part - b.part)
  const files = await moveAsIs(publish, own, { records: inOrder, old, again: old?.run === run }, signal)
  if (files.length > 0) await publish.place.settle(own.path)
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  return { version: 1, run, ...formOf(own), rows: own.asIs?.rows ?? null, bytes, columns: target.columns, files }
}

async function moveParts({ run, parts, staging, target, place }: PublishParts, own: TargetOwn, signal: AbortSignal): Promise<Manifest> {
  if (own.partitionBy) refuseTooMany(await staging.records(signal))
  const folders = new Folders(place, own)
  const move = async (piece: Piece): Promise<Manifest['files'][number]> => {
    const { name, part, rows, bytes, sha256, held, staged, final } = piece
    await folders.make(folderOf(name))
    if (held) await completeHeld(place, piece, { held, replace: true }, own, signal)
    else if ((await place.file(staged, signal)) !== undefined) await place.move(staged, final, true, signal)
    else if ((await place.file(final, signal))?.bytes !== bytes) throw gone(own)
    return { name, part, rows, bytes, sha256 }
  }
  const movePart = async ({ task }: { readonly task: string }) => {
    const record = await staging.record(task, signal)
    if (!record) throw gone(own)
    return fewAtOnce(piecesOf({ staging, own, run }, record), PIECE_MOVES, move)
  }
  const inOrder = parts.toSorted((a, b) => a.part - b.part)
  const files = (await fewAtOnce(inOrder, MOVES, movePart)).flat()
  await folders.settle()
  if (files.length > 0) await place.settle(own.path)
  const sum = (of: 'rows' | 'bytes') => files.reduce((total, file) => total + (file[of] ?? 0), 0)
  return { version: 1, run, ...formOf(own), rows: sum('rows'), bytes: sum('bytes'), columns: target.columns, files }
}

/** No manifest could list them. */
function refuseTooMany(records: readonly CommitRecord[]): void {
  const files = records.reduce((sum, record) => sum + ('spread' in record ? record.spread.length : 1), 0)
  if (files <= MOST_FILES) return
  throw new Fault('INPUT_INVALID', {
    at: `partitionBy: ${files} files, and a folder of a copy has ${MOST_FILES} at most.`,
    remedy: 'Copy in fewer parts (--parts), or in such that share few folders (--split-by).',
  })
}

/** How a manifest tells the form of its files. */
function formOf({ layout: { format, compression }, dialect, partitionBy }: TargetOwn) {
  return { format, compression, ...(dialect && { dialect }), ...(partitionBy && { partitionBy: [...partitionBy] }) }
}

/** Folders of a target, each made once. */
class Folders {
  readonly #place: Place
  readonly #own: TargetOwn
  readonly #made = new Map<string, Promise<void>>()

  constructor(place: Place, own: TargetOwn) {
    this.#place = place
    this.#own = own
  }

  make(folder: string): Promise<void> {
    if (folder === '') return Promise.resolve()
    const made = this.#made.get(folder) ?? this.#place.makeFolder(below(this.#own, folder))
    this.#made.set(folder, made)
    return made
  }

  async settle(): Promise<void> {
    for (const folder of this.#made.keys()) await this.#place.settle(below(this.#own, folder))
  }
}

async function putManifest(place: Place, manifest: Manifest, own: TargetOwn, signal: AbortSignal): Promise<void> {
  const text = textOf(manifest)
  if (own.mode === 'overwrite') await place.put(below(own, MANIFEST), text, signal)
  else if (!(await place.putNew(below(own, MANIFEST), text, signal))) {
    // It may be ours: of a publish that did not hear that it had succeeded.
    if ((await readManifest(place, own.path, own.where, signal))?.run !== manifest.run) throw manifestExists(own)
  }
}

const textOf = (manifest: Manifest): string => `${JSON.stringify(manifest, undefined, 2)}\n`

/** Where publishing puts the file of a record. */
export function publishedFile(own: TargetOwn, run: string, record: Named): string {
  return own.single ? own.path : below(own, finalName(own, run, record))
}

/** A file in the folder of a target, or the folder itself. */
export function below({ path }: TargetOwn, name: string): string {
  return path === '' || name === '' ? path + name : `${path}/${name}`
}

export function folderOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : ''
}

/** Results in the order of the items. The first failure ends it; what has begun is waited for. */
export async function fewAtOnce<Item, Result>(
  items: readonly Item[],
  most: number,
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = []
  const queue = [...items.entries()].values()
  let failed = false
  const worker = async () => {
    for (const [i, item] of queue) {
      if (failed) return
      try {
        results[i] = await work(item)
      } catch (cause) {
        failed = true
        throw cause
      }
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: Math.min(most, items.length) }, worker))
  for (const one of ended) if (one.status === 'rejected') throw one.reason
  return results
}

/** What decides it: known before the file is written. */
export type Named = Pick<CommitRecord, 'part' | 'file' | 'replaces'>

export function finalName({ layout }: TargetOwn, run: string, record: Named): string {
  // Written again, it must not take the place of the file that readers of the manifest know.
  const again = record.replaces ? `.again-${record.file.split('.')[1]?.slice(-8)}` : ''
  return `${partName(record.part)}-${shortRun(run)}${again}${endingOf(layout)}`
}

/** Of a file of rows, where the manifest does not say it. */
export function partOfName(name: string): number {
  return Number(/^part-(\d+)-/.exec(name.slice(name.lastIndexOf('/') + 1))?.[1] ?? -1)
}

/** The commit of a part that was written again, once it is published. */
export async function repairedIn(
  place: Place,
  own: TargetOwn,
  { run, task }: Pick<Slot, 'run' | 'task'>,
  signal: AbortSignal,
): Promise<Commit | undefined> {
  const manifest = own.single ? undefined : await readManifest(place, own.path, own.where, signal)
  return manifest?.run === run ? manifest.repaired?.find((each) => each.task === task) : undefined
}

/** Enough of a run's id to tell the runs in one folder apart. */
export function shortRun(run: string): string {
  return run.replaceAll(/[^0-9A-Za-z]/g, '').slice(-12)
}

export function gone(own: TargetOwn): Fault {
  return new Fault('ATTEMPT_STALE', { at: `${own.where}: what the run wrote is gone.`, remedy: 'Start the copy again.' })
}

function manifestExists(own: TargetOwn): Fault {
  return new Fault('FILE_EXISTS', { at: `${own.where}${MANIFEST}` })
}
