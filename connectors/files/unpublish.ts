/** What publishing takes away: files that are replaced, and those of a run that is withdrawn. */
import { isAsIs, withdrawAsIs } from './as-is-sink.ts'
import { isHidden, layoutOf } from './formats.ts'
import { type Manifest, readManifest } from './manifest.ts'
import { piecesOf } from './pieces.ts'
import type { Place } from './place.ts'
import { below, fewAtOnce, MOVES, type PublishParts, shortRun } from './publish.ts'
import type { TargetOwn } from './sink.ts'

/** Files of this run that its manifest does not name any more. */
export async function removeReplaced({ place, run }: PublishParts, own: TargetOwn, manifest: Manifest, signal: AbortSignal): Promise<void> {
  const kept = new Set(manifest.files.map(({ name }) => name))
  const replaced = (await movedBy(place, own, run, signal)).filter((name) => !kept.has(name))
  await fewAtOnce(replaced, MOVES, (name) => place.remove(below(own, name), signal))
}

async function movedBy(place: Place, own: TargetOwn, run: string, signal: AbortSignal): Promise<readonly string[]> {
  const names = ((await place.names(own.path, signal)) ?? []).map(({ name }) => name)
  return names.filter((name) => name.startsWith('part-') && name.includes(`-${shortRun(run)}.`))
}

export async function removeListed(
  { place }: PublishParts,
  own: TargetOwn,
  { listed, manifest }: { readonly listed: readonly { readonly name: string }[]; readonly manifest: Manifest },
  signal: AbortSignal,
): Promise<void> {
  const kept = new Set(manifest.files.map(({ name }) => name))
  const others = listed.filter(({ name }) => !kept.has(name))
  await fewAtOnce(others, MOVES, ({ name }) => place.remove(below(own, name), signal))
}

/** Data files that the manifest does not name. Folders, hidden files and files of other programs stay. */
export async function removeOthers(place: Place, own: TargetOwn, manifest: Manifest, signal: AbortSignal): Promise<void> {
  const kept = new Set(manifest.files.map(({ name }) => name))
  const folders = ['']
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    const before = folder === '' ? '' : `${folder}/`
    const entries = ((await place.names(below(own, folder), signal)) ?? []).filter(({ name }) => !isHidden(name))
    // Folders that stand for values belong to the data, as whoever reads all of them sees it.
    if (own.partitionBy)
      folders.push(...entries.filter((entry) => entry.folder && entry.name.includes('=')).map(({ name }) => before + name))
    const others = entries.filter(({ name, folder: inside }) => !inside && layoutOf(name) && !kept.has(before + name))
    await fewAtOnce(others, MOVES, ({ name }) => place.remove(below(own, before + name), signal))
  }
}

/** Files may lie in folders of the target, where only a manifest finds them. */
export function inFolders(own: TargetOwn): boolean {
  return own.asIs !== undefined || own.partitionBy !== undefined
}

/** Takes back what an unfinished `publishFolder` has moved. A published run is left as it is. */
export async function withdraw(parts: Pick<PublishParts, 'place' | 'staging' | 'run'>, own: TargetOwn, signal: AbortSignal): Promise<void> {
  const { place, staging, run } = parts
  if (own.single) return
  const old = await readManifest(place, own.path, own.where, signal)
  if (old?.run === run) return
  if (own.asIs) await withdrawAsIs(parts, own, { records: (await staging.records(signal)).filter(isAsIs), old }, signal)
  if (own.partitionBy) {
    const spread = (await staging.records(signal)).flatMap((record) => piecesOf({ staging, own, run }, record))
    await fewAtOnce(spread, MOVES, ({ final }) => place.remove(final, signal))
  }
  const moved = await movedBy(place, own, run, signal)
  await fewAtOnce(moved, MOVES, (name) => place.remove(below(own, name), signal))
}
