/** Holds the two ends of a copy against each other: pure. */
import type { Digest } from '@postern/connectors/copy-contract.ts'
import type { PartVerification, VerificationReport } from '@postern/protocol/api/runs.ts'
import type { TaskId } from '@postern/protocol/ids.ts'
import { sumOf } from './digests.ts'

export type Method = VerificationReport['method']

export interface Comparison {
  readonly method: Exclude<Method, 'none'>
  readonly source: Digest
  readonly target: Digest
  /** Rows of the source that were left out of the target. */
  readonly skipped?: number
  /** What the source's checksum has of them; null: not known. */
  readonly leftOut?: string | null
  /** What a person has to know of how it was compared. */
  readonly notes: readonly string[]
}

export const NOT_VERIFIED: VerificationReport = {
  method: 'none',
  status: 'skipped',
  sourceRows: null,
  targetRows: null,
  sourceChecksum: null,
  targetChecksum: null,
  notes: [],
}

/** Passed only if all that was asked for is there and equal. */
export function compare({ method, source, target, skipped = 0, leftOut = null, notes }: Comparison): VerificationReport {
  const whole = { rows: target.rows + skipped, checksum: withLeftOut(target, skipped, leftOut) }
  const differences = [...rowsDiffer(source, target, skipped), ...(method === 'checksum' ? checksumsDiffer(source, whole) : [])]
  return {
    method,
    status: differences.length === 0 ? 'passed' : 'failed',
    sourceRows: source.rows,
    targetRows: target.rows,
    sourceChecksum: source.checksum,
    targetChecksum: target.checksum,
    notes: [...differences, ...notes],
  }
}

/** The checksum of the target as it would be with the rows that were left out. */
function withLeftOut({ checksum }: Digest, skipped: number, leftOut: string | null): string | null {
  if (skipped === 0 || checksum === null) return checksum
  return leftOut === null ? null : String(BigInt(checksum) + BigInt(leftOut))
}

function rowsDiffer(source: Digest, target: Digest, skipped: number): string[] {
  const more = target.rows + skipped - source.rows
  if (more === 0) return []
  const left = skipped > 0 ? `; ${skipped} were left out` : ''
  return [
    `The target has ${Math.abs(more)} rows ${more > 0 ? 'more' : 'fewer'} than the source: ${target.rows} against ${source.rows}${left}.`,
  ]
}

function checksumsDiffer(source: Digest, target: Digest): string[] {
  if (source.checksum === null || target.checksum === null) {
    return [`The ${source.checksum === null ? 'source' : 'target'} gave no checksum, so values were not compared.`]
  }
  if (source.checksum === target.checksum) return []
  if (source.rows !== target.rows) return [`The checksums differ: ${source.checksum} and ${target.checksum}.`]
  return [`As many rows on both sides, but values differ: checksum ${source.checksum} against ${target.checksum}.`]
}

/** One part at both ends. */
export interface PartPair {
  readonly task: TaskId
  readonly name: string
  readonly source: Digest
  readonly target: Digest
  readonly skipped: number
  /** What the source's checksum has of the rows that were left out; null: not known. */
  readonly leftOut: string | null
}

export interface PartsComparison {
  readonly method?: Comparison['method']
  readonly parts: readonly PartPair[]
  /** Rows, counted over all of the source; null when that shows another moment. */
  readonly wholeSource: number | null
  /** Rows that the run has in the target, whichever part they are of. */
  readonly wholeTarget: Digest
  readonly notes: readonly string[]
}

/** Checksums part by part. Of a part that left rows out of which no checksum is known only the number is compared. */
export function compareParts({ method = 'checksum', parts, wholeSource, wholeTarget, notes }: PartsComparison): VerificationReport {
  const source = sumOf(parts.map((part) => part.source))
  const target = sumOf(parts.map((part) => part.target))
  const outside = [
    ...(wholeSource !== null && wholeSource !== source.rows
      ? [`The parts have ${source.rows} rows of the source, which has ${wholeSource}: parts leave rows out, or have the same ones.`]
      : []),
    ...(wholeTarget.rows !== target.rows
      ? [
          `The target should have ${wholeTarget.rows} rows of this copy and has ${target.rows}: rows were changed or deleted since, or are of no part.`,
        ]
      : []),
  ]
  const differing = parts.filter((part) => !same(part))
  const silent = parts.filter(
    (part) => method === 'checksum' && !countedOnly(part) && (part.source.checksum === null || part.target.checksum === null),
  )
  if (silent.length > 0) outside.push(`Without a checksum, so that values were not compared: ${silent.map(({ name }) => name).join(', ')}.`)
  const skipping = parts.filter((part) => method === 'checksum' && countedOnly(part)).map(({ name }) => name)
  const failed = differing.length > 0 || outside.length > 0
  return {
    method,
    status: failed ? 'failed' : 'passed',
    sourceRows: wholeSource ?? source.rows,
    targetRows: target.rows,
    sourceChecksum: source.checksum,
    targetChecksum: target.checksum,
    notes: [
      ...outside,
      ...differing.map(difference),
      ...(skipping.length > 0
        ? [`Only the number of rows was compared where rows were left out of which no checksum is known: ${skipping.join(', ')}.`]
        : []),
      ...notes,
    ],
    parts: parts.map(reported),
  }
}

function same(part: PartPair): boolean {
  const { source, target, skipped, leftOut } = part
  if (source.rows !== target.rows + skipped) return false
  return countedOnly(part) || source.checksum === withLeftOut(target, skipped, leftOut)
}

function countedOnly({ skipped, leftOut }: PartPair): boolean {
  return skipped > 0 && leftOut === null
}

function difference({ name, source, target, skipped }: PartPair): string {
  const left = skipped > 0 ? ` and ${skipped} left out` : ''
  if (source.rows !== target.rows + skipped)
    return `Part "${name}": ${source.rows} rows in the source, ${target.rows} in the target${left}.`
  return `Part "${name}": as many rows on both sides, but values differ.`
}

function reported(part: PartPair): PartVerification {
  const { task, name, source, target, skipped } = part
  return {
    task,
    name,
    status: same(part) ? 'same' : 'differs',
    sourceRows: source.rows,
    targetRows: target.rows,
    skippedRows: skipped,
    sourceChecksum: source.checksum,
    targetChecksum: target.checksum,
  }
}

/** Which parts have another number of rows in the target; said also when none has. */
export function partsThatDiffer(parts: readonly PartPair[], all: number): { readonly notes: string[]; readonly parts: PartVerification[] } {
  const differing = parts.filter((part) => !same(part))
  const scope = parts.length < all ? ` of the first ${parts.length} of ${all} parts` : ''
  const notes =
    differing.length === 0 ? [`No part${scope} differs in its number of rows: look for values that differ.`] : differing.map(difference)
  return { notes, parts: parts.map(reported) }
}
