/** Digests of files that a run has written: of rows by DuckDB, of files copied as they are by their hashes. */
import { basename } from 'node:path'
import { Fault } from '@postern/protocol/fault.ts'
import type { Column, Digest, DigestRequest, Target } from '../copy-contract.ts'
import { digestQuery } from '../digest.ts'
import { asIsDigest } from './as-is.ts'
import type { Input } from './inputs.ts'
import { ndjsonToPlain } from './ndjson.ts'
import { withPartition } from './partitions.ts'
import { feed, type Rows } from './pipe.ts'
import type { Place } from './place.ts'
import { CsvToPlain } from './plain.ts'
import { rawCsv } from './raw-csv.ts'
import { isPiped, type Reading, relationOf } from './reading.ts'
import type { FilesParts } from './session.ts'
import type { TargetOwn } from './sink.ts'
import { readingOf } from './target-form.ts'
import type { WrittenFile } from './written.ts'

/** What files say that are not what was written: damaged, cut, gone. */
const DAMAGED: ReadonlySet<string> = new Set(['ROW_INVALID', 'FILE_MISSING', 'FORMAT_UNKNOWN', 'INPUT_INVALID', 'COLUMN_MISMATCH'])

export interface WrittenDigest extends DigestRequest {
  readonly target: Target
  readonly files: readonly WrittenFile[]
}

/** Of one part: a file that cannot be read has nothing of it, so that the part differs and can be written again. */
export async function digestPart(request: WrittenDigest, session: FilesParts, signal: AbortSignal): Promise<Digest> {
  try {
    return await digestFiles(request, session, signal)
  } catch (cause) {
    if (!isDamage(cause)) throw cause
    return { rows: 0, checksum: request.checksum ? '0' : null }
  }
}

export function isDamage(cause: unknown): boolean {
  return cause instanceof Fault && DAMAGED.has(cause.code)
}

export async function digestFiles(request: WrittenDigest, session: FilesParts, signal: AbortSignal): Promise<Digest> {
  const { target, files: written, checksum } = request
  const own = target.own as TargetOwn
  if (own.asIs) {
    const names = new Map(written.map(({ name, found }) => [found.path, name]))
    const options = { base: '', checksum, nameOf: ({ path }: { readonly path: string }) => names.get(path) ?? path }
    return asIsDigest(
      session.place,
      written.map(({ found }) => found),
      options,
      signal,
    )
  }
  const held = written.reduce((sum, { rows = 0 }) => sum + rows, 0)
  const byFolder = Map.groupBy(
    written.filter(({ rows }) => rows === undefined),
    ({ values }) => JSON.stringify(values ?? []),
  )
  let [rows, sum] = [held, 0n]
  for (const files of byFolder.values()) {
    const digest = await digestGroup({ ...request, files }, session, signal)
    rows += digest.rows
    sum += BigInt(digest.checksum ?? 0)
  }
  return { rows, checksum: checksum ? String(sum) : null }
}

/** Files of the same folder. */
async function digestGroup(
  { target, files: written, columns, checksum }: WrittenDigest,
  session: FilesParts,
  signal: AbortSignal,
): Promise<Digest> {
  const own = target.own as TargetOwn
  const { layout, partitionBy } = own
  const found = written.map((file) => file.found)
  const byPlace = layout.format === 'csv'
  // By place, not by name: names of a CSV file may differ in case only.
  const all = byPlace ? placed(target.columns) : target.columns
  const asked = byPlace ? columns.map((c) => ({ ...c, name: `p${target.columns.findIndex(({ name }) => name === c.name)}` })) : columns
  const folders = (partitionBy ?? []).map((by) => target.columns.findIndex(({ name }) => name === by))
  const inFiles = <Of>(of: readonly Of[]) => of.filter((_, i) => !folders.includes(i))
  const named = inFiles(all)
  const reading = readingOf(own, inFiles(target.columns))
  await using local = await session.place.local(found, signal)
  const files = found.map((file, i) => ({
    ...file,
    path: isPiped(reading) ? file.path : basename(file.path),
    absolute: local.paths[i] ?? '',
    layout,
  }))
  const whole = (relation: string) =>
    folders.length === 0
      ? relation
      : withPartition(
          relation,
          folders.flatMap((i) => all[i] ?? []),
          written[0]?.values ?? [],
        )
  const sql = (pipe: string) =>
    digestQuery({ dialect: 'duckdb', columns: asked, from: `${whole(relationOf(files, reading, named, pipe))} as t`, checksum })
  const { duck, scratch, pipes } = session
  const place = { at: target.title, columns: target.columns }
  const answer = isPiped(reading)
    ? await feed(
        pipedRows(session.place, files, reading, inFiles(target.columns), signal),
        { scratch, pipes },
        (from, s) => duck.run(sql(from), place, s),
        signal,
      )
    : await duck.run(sql(''), place, signal)
  const [rows, sum] = answer.rows[0] ?? []
  return { rows: Number(rows), checksum: sum ?? null }
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
  if (reading.format === 'ndjson' || reading.format === 'json') return [ndjsonToPlain({ files, columns }, signal)]
  if (reading.format === 'parquet') throw new Fault('INTERNAL', { at: 'Parquet through a pipe' })
  return [rawCsv({ place, reading, columns: columns.length, files }, signal).bytes, new CsvToPlain()]
}
