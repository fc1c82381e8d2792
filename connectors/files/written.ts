/** What a run has written, part by part: in staging, or where publishing has put it, also if that was cut short. */
import { type AsIsRecord, isAsIs, namesFor, stagedName } from './as-is-sink.ts'
import { type Manifest, readManifest } from './manifest.ts'
import { folderValues } from './partitions.ts'
import { type Piece, piecesOf } from './pieces.ts'
import type { FoundFile, Place } from './place.ts'
import { below, fewAtOnce, MOVES, partOfName } from './publish.ts'
import type { TargetOwn } from './sink.ts'
import type { CommitRecord, Staging } from './staging.ts'

export interface WrittenFile {
  readonly part: number
  /** Of a file that was copied as it was: its name in the source. */
  readonly name: string
  readonly found: FoundFile
  /** Of what is held back, and cannot be read yet: as they were counted when it was written. */
  readonly rows?: number
  /** What its folders stand for, where rows went to folders by their values. */
  readonly values?: readonly (string | null)[] | undefined
}

export interface WrittenBy {
  readonly place: Place
  readonly staging: Staging
  readonly own: TargetOwn
  readonly run: string
}

/** A part that was written again counts as it is in staging, even if it was published before. */
export async function writtenFiles(by: WrittenBy, signal: AbortSignal): Promise<readonly WrittenFile[]> {
  const { place, staging, own, run } = by
  const records = await staging.records(signal)
  const manifest = own.single ? undefined : await readManifest(place, own.path, own.where, signal)
  const finalName = namesFor(manifest, run)
  const each = (record: CommitRecord) =>
    isAsIs(record)
      ? asIsFiles(by, record, finalName, signal)
      : fewAtOnce(piecesOf(by, record), MOVES, (piece) => rowFile(by, piece, signal))
  const staged = (await fewAtOnce(records, MOVES, each)).flat()
  if (own.single) return records.length === 0 ? await publishedAlone(by, signal) : staged
  if (manifest?.run !== run) return staged
  const again = new Set(records.map(({ part }) => part))
  const kept = (await published(by, manifest, signal)).filter(({ part }) => !again.has(part))
  return [...kept, ...staged].sort((a, b) => a.part - b.part)
}

export async function isHeld(place: Place, piece: Piece, signal: AbortSignal): Promise<boolean> {
  return piece.held !== undefined && (await place.holding?.isThere(piece, piece.held, signal)) === true
}

async function rowFile({ place, own }: WrittenBy, piece: Piece, signal: AbortSignal): Promise<WrittenFile> {
  const { part, staged, final, bytes, rows, held } = piece
  const values = own.partitionBy && folderValues(piece.name)
  if (await isHeld(place, piece, signal)) return { part, name: '', found: { path: final, bytes }, rows, values }
  const found = held ? undefined : await place.file(staged, signal)
  return { part, name: '', found: found ?? { path: final, bytes }, values }
}

/** Those that are there, of the size that they must have. */
async function asIsFiles(
  { place, staging, own }: WrittenBy,
  record: AsIsRecord,
  finalName: (name: string) => string,
  signal: AbortSignal,
): Promise<readonly WrittenFile[]> {
  const look = async ([index, [name, bytes]]: readonly [number, AsIsRecord['files'][number]]): Promise<readonly WrittenFile[]> => {
    const path = own.single ? own.path : below(own, finalName(name))
    const there = (await place.file(staging.pathOf(stagedName(record, index)), signal)) ?? (await place.file(path, signal))
    return there?.bytes === bytes ? [{ part: record.part, name, found: there }] : []
  }
  return (await fewAtOnce([...record.files.entries()], MOVES, look)).flat()
}

/** Those of the manifest, as they are now; what is not there shows when it is read. */
function published({ place, own }: WrittenBy, { files }: Manifest, signal: AbortSignal): Promise<readonly WrittenFile[]> {
  return fewAtOnce(files, MOVES, async ({ name, bytes, part, from }) => {
    const path = below(own, name)
    const found = (await place.file(path, signal)) ?? { path, bytes }
    return { part: part ?? partOfName(name), name: from ?? name, found, values: own.partitionBy && folderValues(name) }
  })
}

async function publishedAlone({ place, staging, own }: WrittenBy, signal: AbortSignal): Promise<readonly WrittenFile[]> {
  if (await staging.exists(signal)) return []
  const found = await place.file(own.path, signal)
  return found ? [{ part: 0, name: own.path.slice(own.path.lastIndexOf('/') + 1), found }] : []
}
