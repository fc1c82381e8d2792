import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Fault } from '@postern/protocol/fault.ts'
import type { Column, Commit, Digest, DigestRequest, Encoding, PartWrite, Prepare, Sink, Slot, Target } from '../contract.ts'
import { digestQuery } from '../digest.ts'
import { errnoOf, fileFault, stopIfAborted } from './faults.ts'
import { endingOf, type FileFormat, isHidden, type Layout, layoutFor, layoutOf } from './formats.ts'
import { readManifest } from './manifest.ts'
import { ndjsonToPlain } from './ndjson.ts'
import { feed } from './pipe.ts'
import { type PublishParts, publishedFiles, publishFile, publishFolder, withdraw } from './publish.ts'
import { type Reading, relationOf } from './reading.ts'
import type { FilesParts } from './session.ts'
import { Staging } from './staging.ts'
import { duckType } from './types.ts'
import { writeFile } from './writer.ts'

/** The facts of a target that travel with the plan. */
export interface TargetOwn {
  readonly where: string
  readonly single: boolean
  readonly layout: Layout
  readonly mode: 'append' | 'overwrite'
  /** Absolute: the target, and the staging folder beside it. */
  readonly path: string
  readonly staging: string
}

export class FilesSink implements Sink {
  readonly #parts: FilesParts

  constructor(parts: FilesParts) {
    this.#parts = parts
  }

  accepts(): readonly Encoding[] {
    return ['csv']
  }

  async prepare(request: Prepare, signal: AbortSignal): Promise<Target> {
    const { shape, where, mode, run } = request
    if (mode === 'upsert') {
      throw new Fault('COPY_UNSUPPORTED', { at: 'Files have no keys to upsert by.', remedy: 'Copy with --mode append or overwrite.' })
    }
    const single = !where.endsWith('/')
    const layout = this.#layout(where, single)
    refuseColumns(shape.columns, layout.format)
    const path = await this.#parts.folder.resolve(where)
    await this.#refuseExisting(where, single, mode)
    stopIfAborted(signal)
    const hidden = `${path === (await this.#parts.folder.real()) ? '' : `.${basename(path)}`}.postern-${run.replaceAll(/[^\w-]/g, '_')}`
    const own: TargetOwn = {
      where,
      single,
      layout,
      mode,
      path,
      staging: join(hidden.startsWith('.postern-') ? path : dirname(path), hidden),
    }
    if (path === (await this.#parts.folder.real()) && single) throw new Fault('FORMAT_UNKNOWN', { at: where })
    await stagingOf(own).create()
    const columns = shape.columns.map((column) => ({ ...column, native: layout.format === 'parquet' ? duckType(column.type) : 'text' }))
    return { title: where, encoding: 'csv', columns, single, converts: layout.format !== 'csv', notes: notesOn(shape.columns, layout), own }
  }

  #layout(where: string, single: boolean): Layout {
    const { format, compression } = this.#parts.config
    const name = basename(where)
    if (single || layoutOf(name) || format) return layoutFor(name, format, where, single ? 'none' : compression)
    throw new Fault('FORMAT_UNKNOWN', {
      at: where,
      remedy: `Give the folder an ending, such as ${name}.parquet/ or ${name}.csv.gz/, or set format of the store.`,
    })
  }

  /** Something is there already: only `overwrite` may replace it. */
  async #refuseExisting(where: string, single: boolean, mode: 'append' | 'overwrite'): Promise<void> {
    const { folder } = this.#parts
    const names = await folder.names(where)
    const file = names ? undefined : await folder.file(where)
    if (single && names)
      throw new Fault('FILE_EXISTS', { at: `${where} is a folder.`, remedy: 'End the path in "/" to write one file a part into it.' })
    if (!single && file) throw new Fault('FILE_EXISTS', { at: `${where} is a file.`, remedy: 'Leave out the "/", or name another path.' })
    if (mode === 'overwrite') return
    if (file) throw new Fault('FILE_EXISTS', { at: where })
    const taken = names?.find(
      (entry) => entry.name === '_manifest.json' || (!entry.folder && !isHidden(entry.name) && layoutOf(entry.name)),
    )
    if (taken) throw new Fault('FILE_EXISTS', { at: `${where}${taken.name}` })
  }

  async committed(target: Target, slot: Slot): Promise<Commit | undefined> {
    const record = await stagingOf(target.own).record(slot.task)
    return record && { rows: record.rows, bytes: record.bytes, attempt: record.attempt }
  }

  async write(request: PartWrite, signal: AbortSignal): Promise<Commit> {
    const { target, slot, part, bytes, agree } = request
    const { layout } = target.own as TargetOwn
    const staging = stagingOf(target.own)
    // It may break while nobody else listens yet; `errored` keeps it.
    bytes.on('error', () => undefined)
    try {
      if (!(await staging.exists())) throw new Fault('ATTEMPT_STALE', { at: `${target.title}: the run was published or discarded.` })
      if (await staging.record(slot.task)) throw new Fault('COMMIT_LOST', { at: target.title, details: { task: slot.task } })
    } catch (cause) {
      bytes.destroy()
      throw cause
    }
    const path = staging.newFile(part, slot.attempt, endingOf(layout))
    const written = await writeFile({ path, title: target.title, layout, columns: target.columns, bytes }, this.#parts, signal)
    try {
      stopIfAborted(signal)
      agree(written.rows)
      await staging.commit(slot, { task: slot.task, part, attempt: slot.attempt, file: basename(path), ...written })
    } catch (cause) {
      await staging.drop(path)
      throw cause
    }
    return { rows: written.rows, bytes: written.bytes, attempt: slot.attempt }
  }

  async digest(request: DigestRequest & { readonly target: Target; readonly run: string }, signal: AbortSignal): Promise<Digest> {
    const { target, run, columns, checksum } = request
    const own = target.own as TargetOwn
    const paths = await this.#writtenFiles(target, run)
    if (paths.length === 0) return { rows: 0, checksum: checksum ? '0' : null }
    const { layout } = own
    const files = paths.map((absolute) => ({ path: basename(absolute), absolute, bytes: 0, layout }))
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
        from: `${relationOf(files, readingOf(layout, target.columns), named, pipe)} as t`,
        checksum,
      })
    const { duck, scratch, pipes } = this.#parts
    const place = { at: target.title, columns: target.columns }
    const answer =
      layout.format === 'ndjson'
        ? await feed([ndjsonToPlain(files, target.columns, signal)], { scratch, pipes }, (from, s) => duck.run(sql(from), place, s), signal)
        : await duck.run(sql(''), place, signal)
    const [rows, sum] = answer.rows[0] ?? []
    return { rows: Number(rows), checksum: sum ?? null }
  }

  /** What the run wrote: in staging, or where publishing has put it, also if that was cut short. */
  async #writtenFiles(target: Target, run: string): Promise<readonly string[]> {
    const own = target.own as TargetOwn
    const staging = stagingOf(own)
    const records = await staging.records()
    const found: string[] = []
    for (const record of records) {
      const staged = join(own.staging, record.file)
      found.push((await exists(staged)) ? staged : publishedFiles(own, run, record))
    }
    if (records.length > 0 || (await staging.exists())) return found
    if (own.single) return (await exists(own.path)) ? [own.path] : []
    const manifest = await readManifest(own.path, own.where)
    return manifest?.run === run ? manifest.files.map(({ name }) => join(own.path, name)) : []
  }

  async publish(request: Omit<PublishParts, 'staging'>): Promise<void> {
    const own = request.target.own as TargetOwn
    const parts = { ...request, staging: stagingOf(own) }
    await (own.single ? publishFile(parts, own) : publishFolder(parts, own))
  }

  async discard(target: Target, run: string): Promise<void> {
    const own = target.own as TargetOwn
    await withdraw(own, run)
    await stagingOf(own).remove()
  }
}

function stagingOf(own: unknown): Staging {
  const { staging, where } = own as TargetOwn
  return new Staging(staging, where)
}

function placed(columns: readonly Column[]): readonly Column[] {
  return columns.map((column, i) => ({ ...column, name: `p${i}` }))
}

function readingOf({ format }: Layout, columns: readonly Column[]): Reading {
  if (format === 'parquet') return { format, natives: columns.map(({ name, type }) => ({ name, native: duckType(type) })) }
  if (format === 'ndjson') return { format, declared: true }
  return { format, delimiter: format === 'tsv' ? '\t' : ',', declared: true }
}

function refuseColumns(columns: readonly Column[], format: FileFormat): void {
  if (columns.length === 0) throw new Fault('COLUMN_MISMATCH', { at: 'The source has no columns.' })
  if (format === 'csv') return
  const seen = new Map<string, string>()
  for (const { name } of columns) {
    const same = seen.get(name.toLowerCase())
    if (same !== undefined) {
      throw new Fault('COLUMN_MISMATCH', { at: `Columns "${same}" and "${name}" differ in case only, which ${format} files cannot hold.` })
    }
    seen.set(name.toLowerCase(), name)
  }
}

function notesOn(columns: readonly Column[], { format }: Layout): readonly string[] {
  if (format !== 'parquet') return []
  const asText = columns
    .filter(({ type }) => (type.is === 'decimal' || type.is === 'other') && duckType(type) === 'VARCHAR')
    .map(({ name }) => name)
  return asText.length === 0 ? [] : [`Stored as text, since Parquet has no type for them: ${asText.join(', ')}.`]
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return false
    throw fileFault(cause, path)
  }
}
