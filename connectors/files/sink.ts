import { basename } from 'node:path'
import { Fault } from '@postern/protocol/fault.ts'
import type {
  Commit,
  CopyOptions,
  Digest,
  DigestRequest,
  Encoding,
  Expected,
  PartWrite,
  Prepare,
  Shape,
  Sink,
  Slot,
  Target,
} from '../copy-contract.ts'
import { withCopyOptions } from '../copy-options.ts'
import { rowsAsCommitted } from './as-committed.ts'
import { writeAsIs } from './as-is-sink.ts'
import { type CsvDialect, dialectName } from './csv-dialect.ts'
import { stopIfAborted } from './faults.ts'
import { isHidden, type Layout, layoutOf } from './formats.ts'
import { readManifest } from './manifest.ts'
import { partitionColumns } from './partition-folders.ts'
import type { Place } from './place.ts'
import { fewAtOnce, folderOf, type PublishParts, publishFile, publishFolder, repairedIn } from './publish.ts'
import { commitOf, writeRows } from './row-part.ts'
import type { FilesParts } from './session.ts'
import { FileSettingsSchema } from './settings.ts'
import { Staging, staleFault } from './staging.ts'
import { asIsFacts, formFacts, layoutOfSource, layoutOfTarget, nativeIn, notesOn, refuseColumns } from './target-form.ts'
import { withdraw } from './unpublish.ts'
import { type WriteForm, writeFormOf } from './write-form.ts'
import { passesThrough } from './writer.ts'
import { type WrittenFile, writtenFiles } from './written.ts'
import { digestFiles, digestPart, isDamage } from './written-digest.ts'

/** The facts of a target that travel with the plan. */
export interface TargetOwn {
  readonly where: string
  readonly single: boolean
  readonly layout: Layout
  readonly mode: 'append' | 'overwrite'
  /** Below the place, without detours: the target, and the staging folder beside it. */
  readonly path: string
  readonly staging: string
  /** How the CSV is spelled, where not as in RFC 4180 with commas. */
  readonly dialect?: CsvDialect
  /** Left out: as without any options. */
  readonly form?: WriteForm
  /** The bytes may be held back under their final names: nobody asks for their checksum before they are published. */
  readonly holds?: true
  /** Values are held to their types in text too: they will be read by them, for a checksum. */
  readonly exact?: true
  /** Columns by whose values rows go to folders. */
  readonly partitionBy?: readonly string[]
  /** Files are copied as they are; rows where the source knows them. */
  readonly asIs?: { readonly rows: number | null }
}

/** Parts that are read at a time to be compared. */
const DIGESTS = 2

const NOT_EXCLUSIVE =
  'The store ignores "create only if absent" (If-None-Match): of two attempts of one part at the same moment the last one counts, and a file that another program makes at the same moment may be replaced. Each part is still there once.'

export class FilesSink implements Sink {
  readonly #parts: FilesParts

  constructor(parts: FilesParts) {
    this.#parts = parts
  }

  accepts(shape: Shape): readonly Encoding[] {
    return shape.encodings.includes('file') ? ['file'] : ['csv']
  }

  /** What files would be written: those that are so already need not be read. */
  async expects(where: string, options: CopyOptions): Promise<Expected> {
    const config = withCopyOptions(FileSettingsSchema, this.#parts.config, options, 'write')
    const single = !where.endsWith('/')
    const { format = config.format, compression = config.compression ?? 'none' } = layoutOf(basename(where)) ?? {}
    if (config.asIs === false) return {}
    if (format === undefined || format === 'binary') return { files: { format: 'any', compression: '', dialect: '', single } }
    return { files: { format, compression, dialect: dialectName(config, format), single } }
  }

  async prepare(request: Prepare, signal: AbortSignal): Promise<Target> {
    const { shape, where, mode, run, encodings } = request
    if (mode === 'upsert') {
      throw new Fault('COPY_UNSUPPORTED', { at: 'Files have no keys to upsert by.', remedy: 'Copy with --mode append or overwrite.' })
    }
    const single = !where.endsWith('/')
    const asIs = encodings.includes('file')
    const config = withCopyOptions(FileSettingsSchema, this.#parts.config, request.options ?? {}, 'write')
    const layout = asIs ? layoutOfSource(shape, where) : layoutOfTarget(where, single, config)
    if (!asIs) refuseColumns(shape.columns, layout.format)
    if (asIs && single && shape.estimatedRows !== 1) {
      throw new Fault('INPUT_INVALID', {
        at: `to: ${where} is one file, the source has ${shape.estimatedRows}`,
        remedy: 'End the path in "/".',
      })
    }
    const { place } = this.#parts
    const partitionBy = partitionsWanted(request, { asIs, single, layout })
    const path = await place.canonical(where)
    if (path === '' && single) throw new Fault('FORMAT_UNKNOWN', { at: where })
    await this.#refuseExisting({ where, single, mode, folders: asIs || partitionBy !== undefined }, signal)
    stopIfAborted(signal)
    const hidden = `.postern-${run.replaceAll(/[^\w-]/g, '_')}`
    const beside = folderOf(path) === '' ? '' : `${folderOf(path)}/`
    const staging = path === '' ? hidden : `${beside}.${basename(path)}${hidden}`
    const own: TargetOwn = {
      where,
      single,
      layout,
      mode,
      path,
      staging,
      ...(!asIs && holdsBack(place, single) && request.verify !== 'checksum' ? { holds: true as const } : {}),
      ...(!asIs && request.verify === 'checksum' ? { exact: true as const } : {}),
      ...(partitionBy && { partitionBy }),
      ...(asIs ? asIsFacts(shape) : formFacts(writeFormOf(config, layout.format))),
    }
    const { exclusive } = await stagingOf(place, own).create(signal)
    const columns = shape.columns.map((column) => ({ ...column, native: nativeIn(layout, column) }))
    const notes = [...notesOn(shape.columns, layout), ...(exclusive ? [] : [NOT_EXCLUSIVE])]
    if (asIs) return { title: where, encoding: 'file', columns: shape.columns, single, notes: exclusive ? [] : [NOT_EXCLUSIVE], own }
    return { title: where, encoding: 'csv', columns, single, converts: !passesThrough({ layout, form: own.form ?? {} }), notes, own }
  }

  /** Something is there already: only `overwrite` may replace it. */
  async #refuseExisting({ where, single, mode, folders }: Wanted, signal: AbortSignal): Promise<void> {
    const { place } = this.#parts
    const names = await place.names(where, signal)
    const file = names ? undefined : await place.file(where, signal)
    if (single && names)
      throw new Fault('FILE_EXISTS', { at: `${where} is a folder.`, remedy: 'End the path in "/" to write one file a part into it.' })
    if (!single && file) throw new Fault('FILE_EXISTS', { at: `${where} is a file.`, remedy: 'Leave out the "/", or name another path.' })
    if (mode === 'overwrite') return
    if (file) throw new Fault('FILE_EXISTS', { at: where })
    const taken = names?.find(
      (entry) => entry.name === '_manifest.json' || (!isHidden(entry.name) && (folders || (!entry.folder && layoutOf(entry.name)))),
    )
    if (taken) throw new Fault('FILE_EXISTS', { at: `${where}${taken.name}` })
  }

  async committed(target: Target, slot: Slot, signal: AbortSignal): Promise<Commit | undefined> {
    const { place } = this.#parts
    const own = target.own as TargetOwn
    const staging = stagingOf(place, own)
    const there = await staging.record(slot.task, signal)
    const record = there ?? ((await staging.exists(signal)) ? undefined : await repairedIn(place, own, slot, signal))
    return record && commitOf(record)
  }

  async write(request: PartWrite, signal: AbortSignal): Promise<Commit> {
    const { target, slot, bytes } = request
    const staging = stagingOf(this.#parts.place, target.own)
    // It may break while nobody else listens yet; `errored` keeps it.
    bytes.on('error', () => undefined)
    try {
      if (!(await staging.exists(signal))) await this.#roomForRepair(request, staging, signal)
      if (await staging.record(slot.task, signal)) throw lost(target, slot)
    } catch (cause) {
      bytes.destroy()
      throw cause
    }
    if (target.encoding === 'file') return writeAsIs(request, this.#parts.place, staging, signal)
    return writeRows(request, this.#parts, staging, signal)
  }

  /** What was published gets a room again, from which `publish` takes the parts that were written anew. */
  async #roomForRepair({ target, slot, replaces = [] }: PartWrite, staging: Staging, signal: AbortSignal): Promise<void> {
    const known = replaces.length > 0 && (await this.published(target, slot.run, signal))
    if (!known) throw staleFault(target.title)
    if (await repairedIn(this.#parts.place, target.own as TargetOwn, slot, signal)) throw lost(target, slot)
    await staging.create(signal)
  }

  async digest(request: DigestRequest & { readonly target: Target; readonly run: string }, signal: AbortSignal): Promise<Digest> {
    const { place } = this.#parts
    const { target, run, checksum } = request
    const own = target.own as TargetOwn
    const rows = checksum ? undefined : await rowsAsCommitted({ place, own, run, staging: stagingOf(place, own) }, signal)
    if (rows !== undefined) return { rows, checksum: null }
    const files = await this.#written(request, signal)
    try {
      return await digestFiles({ ...request, files }, this.#parts, signal)
    } catch (cause) {
      if (!isDamage(cause)) throw cause
      return await this.#withoutDamaged(request, files, signal)
    }
  }

  async digestParts(
    request: DigestRequest & { readonly target: Target; readonly run: string; readonly parts: readonly { readonly part: number }[] },
    signal: AbortSignal,
  ): Promise<readonly Digest[]> {
    const byPart = Map.groupBy(await this.#written(request, signal), ({ part }) => part)
    return fewAtOnce(request.parts, DIGESTS, ({ part }) => digestPart({ ...request, files: byPart.get(part) ?? [] }, this.#parts, signal))
  }

  /** One file that cannot be read does not hide what the others have. */
  async #withoutDamaged(
    request: DigestRequest & { readonly target: Target },
    files: readonly WrittenFile[],
    signal: AbortSignal,
  ): Promise<Digest> {
    const each = await fewAtOnce(files, DIGESTS, (file) => digestPart({ ...request, files: [file] }, this.#parts, signal))
    const checksum = each.reduce((sum, digest) => sum + BigInt(digest.checksum ?? 0), 0n)
    return { rows: each.reduce((sum, { rows }) => sum + rows, 0), checksum: request.checksum ? String(checksum) : null }
  }

  #written({ target, run }: { readonly target: Target; readonly run: string }, signal: AbortSignal): Promise<readonly WrittenFile[]> {
    const own = target.own as TargetOwn
    const { place } = this.#parts
    return writtenFiles({ place, own, run, staging: stagingOf(place, own) }, signal)
  }

  /** Staging, and with it the names of the files, is gone once they are published. */
  async published(target: Target, run: string, signal: AbortSignal): Promise<boolean> {
    const own = target.own as TargetOwn
    const { place } = this.#parts
    // The one file is moved before staging goes, and a run whose staging was taken away unpublished is not finished any more.
    if (own.single) return !(await stagingOf(place, own).exists(signal)) && (await place.file(own.path, signal)) !== undefined
    return (await readManifest(place, own.path, own.where, signal))?.run === run
  }

  async publish(request: Omit<PublishParts, 'staging' | 'place'>, signal: AbortSignal): Promise<void> {
    const own = request.target.own as TargetOwn
    const { place } = this.#parts
    const parts = { ...request, place, staging: stagingOf(place, own) }
    await (own.single ? publishFile(parts, own, signal) : publishFolder(parts, own, signal))
  }

  async discard(target: Target, run: string, signal: AbortSignal): Promise<void> {
    const own = target.own as TargetOwn
    const { place } = this.#parts
    const staging = stagingOf(place, own)
    await withdraw({ place, staging, run }, own, signal)
    await staging.remove(signal)
  }
}

interface Wanted {
  readonly where: string
  readonly single: boolean
  readonly mode: 'append' | 'overwrite'
  /** Its files may lie in folders. */
  readonly folders: boolean
}

/** The columns that name folders; undefined where none do. */
function partitionsWanted(
  { shape, partitionBy = [] }: Prepare,
  { asIs, single, layout }: { readonly asIs: boolean; readonly single: boolean; readonly layout: Layout },
): readonly string[] | undefined {
  if (partitionBy.length === 0) return undefined
  const refuse = (why: string, remedy: string) => new Fault('INPUT_INVALID', { at: `partitionBy: ${why}`, remedy })
  if (single) throw refuse('one file has no folders', 'End the path in "/".')
  if (asIs) throw refuse('files that are copied as they are have no columns', 'Leave it out, or let them be read: --read asIs=no.')
  if (layout.format === 'json') throw refuse('JSON arrays are not written into folders of values', 'Take .ndjson, .csv or .parquet.')
  return partitionColumns(shape.columns, partitionBy).map(({ name }) => name)
}

/** The file of a part has the run in its name; one that the copy names may be written by others, too. */
function holdsBack({ holding }: Place, single: boolean): boolean {
  return holding !== undefined && !(single && holding.ownNamesOnly)
}

function lost(target: Target, { task }: Slot): Fault {
  return new Fault('COMMIT_LOST', { at: target.title, details: { task } })
}

function stagingOf(place: Place, own: unknown): Staging {
  const { staging, where } = own as TargetOwn
  return new Staging(place, staging, where)
}
