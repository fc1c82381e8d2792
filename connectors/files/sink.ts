import { basename } from 'node:path'
import { Fault } from '@postern/protocol/fault.ts'
import type {
  Column,
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
import { digestQuery } from '../digest.ts'
import { asIsWritten, digestWritten, isAsIs, namesFor, writeAsIs } from './as-is-sink.ts'
import { type CsvDialect, dialectName } from './csv-dialect.ts'
import { stopIfAborted } from './faults.ts'
import { endingOf, isHidden, type Layout, layoutOf } from './formats.ts'
import type { Input } from './inputs.ts'
import { readManifest } from './manifest.ts'
import { ndjsonToPlain } from './ndjson.ts'
import { writePart } from './part-writer.ts'
import { feed, type Rows } from './pipe.ts'
import type { FoundFile, Place } from './place.ts'
import { CsvToPlain } from './plain.ts'
import { below, folderOf, type PublishParts, publishedFile, publishFile, publishFolder, withdraw } from './publish.ts'
import { rawCsv } from './raw-csv.ts'
import { isPiped, type Reading, relationOf } from './reading.ts'
import type { FilesParts } from './session.ts'
import { FileSettingsSchema } from './settings.ts'
import { Staging, staleFault } from './staging.ts'
import { asIsFacts, formFacts, layoutOfSource, layoutOfTarget, nativeIn, notesOn, readingOf, refuseColumns } from './target-form.ts'
import { type WriteForm, writeFormOf } from './write-form.ts'
import { passesThrough } from './writer.ts'

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
  /** Files are copied as they are; rows where the source knows them. */
  readonly asIs?: { readonly rows: number | null }
}

/** What an attempt that failed leaves is taken away, also when its own time is up. */
const CLEAN_UP_MS = 30_000

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
    const path = await place.canonical(where)
    if (path === '' && single) throw new Fault('FORMAT_UNKNOWN', { at: where })
    await this.#refuseExisting({ where, single, mode, asIs }, signal)
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
      ...(asIs ? asIsFacts(shape) : formFacts(writeFormOf(config, layout.format))),
    }
    const { exclusive } = await stagingOf(place, own).create(signal)
    const columns = shape.columns.map((column) => ({ ...column, native: nativeIn(layout, column) }))
    const notes = [...notesOn(shape.columns, layout), ...(exclusive ? [] : [NOT_EXCLUSIVE])]
    if (asIs) return { title: where, encoding: 'file', columns: shape.columns, single, notes: exclusive ? [] : [NOT_EXCLUSIVE], own }
    return { title: where, encoding: 'csv', columns, single, converts: !passesThrough({ layout, form: own.form ?? {} }), notes, own }
  }

  /** Something is there already: only `overwrite` may replace it. */
  async #refuseExisting({ where, single, mode, asIs }: Wanted, signal: AbortSignal): Promise<void> {
    const { place } = this.#parts
    const names = await place.names(where, signal)
    const file = names ? undefined : await place.file(where, signal)
    if (single && names)
      throw new Fault('FILE_EXISTS', { at: `${where} is a folder.`, remedy: 'End the path in "/" to write one file a part into it.' })
    if (!single && file) throw new Fault('FILE_EXISTS', { at: `${where} is a file.`, remedy: 'Leave out the "/", or name another path.' })
    if (mode === 'overwrite') return
    if (file) throw new Fault('FILE_EXISTS', { at: where })
    const taken = names?.find(
      (entry) => entry.name === '_manifest.json' || (!isHidden(entry.name) && (asIs || (!entry.folder && layoutOf(entry.name)))),
    )
    if (taken) throw new Fault('FILE_EXISTS', { at: `${where}${taken.name}` })
  }

  async committed(target: Target, slot: Slot, signal: AbortSignal): Promise<Commit | undefined> {
    const record = await stagingOf(this.#parts.place, target.own).record(slot.task, signal)
    return record && { rows: record.rows, bytes: record.bytes, attempt: record.attempt }
  }

  async write(request: PartWrite, signal: AbortSignal): Promise<Commit> {
    const { target, slot, part, bytes, agree } = request
    const { layout, form = {} } = target.own as TargetOwn
    const staging = stagingOf(this.#parts.place, target.own)
    // It may break while nobody else listens yet; `errored` keeps it.
    bytes.on('error', () => undefined)
    try {
      if (!(await staging.exists(signal))) throw staleFault(target.title)
      if (await staging.record(slot.task, signal)) throw new Fault('COMMIT_LOST', { at: target.title, details: { task: slot.task } })
    } catch (cause) {
      bytes.destroy()
      throw cause
    }
    if (target.encoding === 'file') return writeAsIs(request, this.#parts.place, staging, signal)
    const file = staging.newFile(part, slot.attempt, endingOf(layout))
    const parts = { path: staging.pathOf(file), title: target.title, layout, form, columns: target.columns, bytes }
    const written = await writePart(parts, this.#parts, signal)
    try {
      stopIfAborted(signal)
      agree(written.rows)
      await staging.commit(slot, { task: slot.task, part, attempt: slot.attempt, file, ...written }, signal)
    } catch (cause) {
      await staging.drop(file, AbortSignal.timeout(CLEAN_UP_MS))
      throw cause
    }
    return { rows: written.rows, bytes: written.bytes, attempt: slot.attempt }
  }

  async digest(request: DigestRequest & { readonly target: Target; readonly run: string }, signal: AbortSignal): Promise<Digest> {
    const { target, run, columns, checksum } = request
    const own = target.own as TargetOwn
    if (own.asIs) return this.#digestAsIs(own, run, checksum, signal)
    const found = await this.#writtenFiles(target, run, signal)
    if (found.length === 0) return { rows: 0, checksum: checksum ? '0' : null }
    const { layout } = own
    const reading = readingOf(own, target.columns)
    await using local = await this.#parts.place.local(found, signal)
    const files = found.map((file, i) => ({
      ...file,
      path: isPiped(reading) ? file.path : basename(file.path),
      absolute: local.paths[i] ?? '',
      layout,
    }))
    // By place, not by name: names of a CSV file may differ in case only.
    const named = layout.format === 'csv' ? placed(target.columns) : target.columns
    const asked =
      layout.format === 'csv'
        ? columns.map((c) => ({ ...c, name: `p${target.columns.findIndex(({ name }) => name === c.name)}` }))
        : columns
    const sql = (pipe: string) =>
      digestQuery({
        dialect: 'duckdb',
        columns: asked,
        from: `${relationOf(files, reading, named, pipe)} as t`,
        checksum,
      })
    const { duck, scratch, pipes } = this.#parts
    const place = { at: target.title, columns: target.columns }
    const answer = isPiped(reading)
      ? await feed(
          pipedRows(this.#parts.place, files, reading, target.columns, signal),
          { scratch, pipes },
          (from, s) => duck.run(sql(from), place, s),
          signal,
        )
      : await duck.run(sql(''), place, signal)
    const [rows, sum] = answer.rows[0] ?? []
    return { rows: Number(rows), checksum: sum ?? null }
  }

  async #digestAsIs(own: TargetOwn, run: string, checksum: boolean, signal: AbortSignal): Promise<Digest> {
    const { place } = this.#parts
    const staging = stagingOf(place, own)
    const records = (await staging.records(signal)).filter(isAsIs)
    const manifest = own.single ? undefined : await readManifest(place, own.path, own.where, signal)
    const written = await asIsWritten(place, own, { staging, records, finalName: namesFor(manifest, run) }, signal)
    return digestWritten(place, written, checksum, signal)
  }

  /** Staging, and with it the names of the files, is gone once they are published. */
  async published(target: Target, run: string, signal: AbortSignal): Promise<boolean> {
    const own = target.own as TargetOwn
    const { place } = this.#parts
    // The one file is moved before staging goes, and a run whose staging was taken away unpublished is not finished any more.
    if (own.single) return !(await stagingOf(place, own).exists(signal)) && (await place.file(own.path, signal)) !== undefined
    return (await readManifest(place, own.path, own.where, signal))?.run === run
  }

  /** What the run wrote: in staging, or where publishing has put it, also if that was cut short. */
  async #writtenFiles(target: Target, run: string, signal: AbortSignal): Promise<readonly FoundFile[]> {
    const own = target.own as TargetOwn
    const { place } = this.#parts
    const staging = stagingOf(place, own)
    const records = await staging.records(signal)
    const found: FoundFile[] = []
    for (const record of records) {
      const staged = await place.file(staging.pathOf(record.file), signal)
      found.push(staged ?? { path: publishedFile(own, run, record), bytes: record.bytes })
    }
    if (records.length > 0 || (await staging.exists(signal))) return found
    if (own.single) return [await place.file(own.path, signal)].filter((file) => file !== undefined)
    const manifest = await readManifest(place, own.path, own.where, signal)
    return manifest?.run === run ? manifest.files.map(({ name, bytes }) => ({ path: below(own, name), bytes })) : []
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
  readonly asIs: boolean
}

function stagingOf(place: Place, own: unknown): Staging {
  const { staging, where } = own as TargetOwn
  return new Staging(place, staging, where)
}

function placed(columns: readonly Column[]): readonly Column[] {
  return columns.map((column, i) => ({ ...column, name: `p${i}` }))
}

function pipedRows(
  place: Place,
  files: readonly (Input & { readonly absolute: string })[],
  reading: Reading,
  columns: readonly Column[],
  signal: AbortSignal,
): Rows {
  if (reading.format === 'ndjson' || reading.format === 'json') return [ndjsonToPlain(files, columns, signal)]
  if (reading.format === 'parquet') throw new Fault('INTERNAL', { at: 'Parquet through a pipe' })
  return [rawCsv({ place, reading, columns: columns.length, files }, signal).bytes, new CsvToPlain()]
}
