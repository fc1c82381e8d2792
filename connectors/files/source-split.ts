/** Into which parts a source of files is cut. */

import { Fault } from '@postern/protocol/fault.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import type { Encoding, Part, Shape } from '../copy-contract.ts'
import type { Input } from './inputs.ts'
import type { Place } from './place.ts'
import { canCut, rangesOf } from './raw-csv.ts'
import type { SourceOwn } from './source.ts'
import { type PartFiles, packPart } from './source-parts.ts'

/** A Parquet file is cut at multiples of this, so that a part reads whole row groups where they have DuckDB's size. */
const ROW_GROUP = 122_880
/** Without a wish: a part for each file, up to so many. */
const MOST_PARTS = 256
/** Smaller CSV files are read as they come. */
const LOOK_BYTES = 1 << 20
/** A part of files as they are holds one larger than this alone, or as many as come up to it. */
const BUNDLE = { bytes: 64 << 20, files: 256 } as const

export interface SplitParts {
  readonly place: Place
  readonly shape: Shape
  readonly found: PartFiles & { readonly partitions?: readonly (readonly (string | null)[])[] }
  readonly wanted: number | null
  readonly encoding?: Encoding
}

export async function splitFiles(parts: SplitParts, signal: AbortSignal): Promise<readonly Part[]> {
  const { shape, found, wanted } = parts
  const { files } = found
  const { reading } = shape.own as SourceOwn
  if (reading === null || parts.encoding === 'file') return bundles(files, wanted)
  const [only] = files
  if (files.length === 1 && only && reading.format === 'parquet' && (wanted ?? 1) > 1 && !found.partitions) {
    return rowRanges(only, shape.estimatedRows ?? 0, wanted ?? 1)
  }
  const groups = groupsOf(files, found.partitions)
  if (groups.length > LIMITS.planTasks) {
    throw new Fault('INPUT_INVALID', { at: `${shape.title} has ${groups.length} partitions; a copy takes ${LIMITS.planTasks}.` })
  }
  const cut = groups.length === 1 && !found.partitions ? await cutLarge(parts, signal) : { ranges: [], whole: files }
  const bytes = sum(files)
  const share = (of: number) => (shape.estimatedRows === null ? null : Math.round((shape.estimatedRows * of) / Math.max(1, bytes)))
  const bins = Math.max(cut.ranges.length > 0 ? 0 : 1, (wanted ?? MOST_PARTS) - cut.ranges.length)
  const whole =
    cut.whole.length === 0
      ? []
      : groups.flatMap((group) => spread(cut.ranges.length > 0 ? { ...group, files: cut.whole } : group, Math.max(1, bins)))
  return [
    ...cut.ranges,
    ...whole
      .toSorted((a, b) => sum(b.files) - sum(a.files))
      .map((part) => ({ name: nameOf(part.files), estimatedRows: share(sum(part.files)), own: packPart(part) })),
  ]
}

/** Large CSV files by ranges of their bytes, where parts of that kind are understood (`encoding` is known). */
async function cutLarge({ place, shape, found, wanted, encoding }: SplitParts, signal: AbortSignal) {
  const { reading, skip } = shape.own as SourceOwn
  const { files } = found
  const csv = reading?.format === 'csv' || reading?.format === 'tsv' ? reading : undefined
  if (!csv || encoding === undefined || (encoding !== 'csv-raw' && (wanted ?? 1) <= 1)) return { ranges: [], whole: files }
  const step = Math.ceil(sum(files) / (wanted ?? 1))
  // One look at a file that is passed on unparsed serves the cut, the count and the reading.
  const least = encoding === 'csv-raw' && files.length === 1 ? Math.min(step, LOOK_BYTES) : step
  const ranges: Part[] = []
  const whole: Input[] = []
  for (const file of files) {
    if (file.bytes <= least || !canCut(csv, file)) {
      whole.push(file)
      continue
    }
    const ranged = await rangesOf({ place, reading: csv, columns: shape.columns.length }, file, step, signal).catch((cause: unknown) => {
      // Between which quotes its rows end nobody can tell, so it is read as a whole.
      if (skip && cause instanceof Fault && cause.code === 'ROW_INVALID') return undefined
      throw cause
    })
    if (!ranged) whole.push(file)
    for (const range of ranged ?? []) {
      const name = `${file.path} from line ${range.line}`
      ranges.push({ name, estimatedRows: range.rows, own: packPart({ files: [file], range }) })
    }
  }
  return { ranges, whole }
}

function groupsOf(files: readonly Input[], partitions: SplitParts['found']['partitions']): readonly PartFiles[] {
  if (!partitions) return [{ files }]
  const groups = new Map<string, { files: Input[]; partition: readonly (string | null)[] }>()
  for (const [i, file] of files.entries()) {
    const partition = partitions[i] ?? []
    const key = JSON.stringify(partition)
    const group = groups.get(key) ?? { files: [], partition }
    group.files.push(file)
    groups.set(key, group)
  }
  return [...groups.values()]
}

function spread({ files, partition }: PartFiles, wanted: number): readonly PartFiles[] {
  const bins = Math.max(1, Math.min(files.length, partition ? 1 : wanted))
  const parts: { files: Input[]; bytes: number }[] = Array.from({ length: bins }, () => ({ files: [], bytes: 0 }))
  for (const file of files.toSorted((a, b) => b.bytes - a.bytes)) {
    const least = parts.reduce((best, part) =>
      part.bytes < best.bytes || (part.bytes === best.bytes && part.files.length < best.files.length) ? part : best,
    )
    least.files.push(file)
    least.bytes += file.bytes
  }
  return parts.map((part) => ({ files: part.files, partition }))
}

function bundles(files: readonly Input[], wanted: number | null): readonly Part[] {
  const total = sum(files)
  const most = wanted === null ? Math.max(BUNDLE.bytes, total / (LIMITS.planTasks / 4)) : total / wanted
  const many = Math.max(BUNDLE.files, Math.ceil(files.length / (LIMITS.planTasks / 4)))
  const parts: Input[][] = []
  let bundle: Input[] = []
  for (const file of files) {
    if (bundle.length > 0 && (bundle.length >= many || sum(bundle) + file.bytes > most)) {
      parts.push(bundle)
      bundle = []
    }
    bundle.push(file)
  }
  if (bundle.length > 0) parts.push(bundle)
  return parts.map((of) => ({ name: nameOf(of), estimatedRows: of.length, own: packPart({ files: of }) }))
}

function rowRanges(file: Input, rows: number, wanted: number): readonly Part[] {
  const groups = Math.max(1, Math.ceil(rows / ROW_GROUP))
  const step = Math.ceil(groups / Math.min(groups, wanted)) * ROW_GROUP
  const parts: Part[] = []
  for (let from = 0; from < rows || from === 0; from += step) {
    // The last one is open: rows is what the footer said.
    const to = from + step >= rows ? Number.MAX_SAFE_INTEGER : from + step
    parts.push({
      name: `${file.path} rows ${from + 1} to ${Math.min(from + step, rows)}`,
      estimatedRows: Math.min(step, rows - from),
      own: packPart({ files: [file], rows: { from, to } }),
    })
  }
  return parts.length === 1 ? parts.map((part) => ({ ...part, name: file.path })) : parts
}

function nameOf(files: readonly Input[]): string {
  return files.length === 1 ? (files[0]?.path ?? '') : `${files[0]?.path} and ${files.length - 1} more`
}

function sum(files: readonly Input[]): number {
  return files.reduce((bytes, file) => bytes + file.bytes, 0)
}
