/** Holds the two ends of a copy against each other: pure. */
import type { Digest } from '@postern/connectors/contract.ts'
import type { VerificationReport } from '@postern/protocol/api/runs.ts'

export type Method = VerificationReport['method']

export interface Comparison {
  readonly method: Exclude<Method, 'none'>
  readonly source: Digest
  readonly target: Digest
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
export function compare({ method, source, target, notes }: Comparison): VerificationReport {
  const differences = [...rowsDiffer(source, target), ...(method === 'checksum' ? checksumsDiffer(source, target) : [])]
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

function rowsDiffer(source: Digest, target: Digest): string[] {
  const more = target.rows - source.rows
  if (more === 0) return []
  return [`The target has ${Math.abs(more)} rows ${more > 0 ? 'more' : 'fewer'} than the source: ${target.rows} against ${source.rows}.`]
}

function checksumsDiffer(source: Digest, target: Digest): string[] {
  if (source.checksum === null || target.checksum === null) {
    return [`The ${source.checksum === null ? 'source' : 'target'} gave no checksum, so values were not compared.`]
  }
  if (source.checksum === target.checksum) return []
  if (source.rows !== target.rows) return [`The checksums differ: ${source.checksum} and ${target.checksum}.`]
  return [`As many rows on both sides, but values differ: checksum ${source.checksum} against ${target.checksum}.`]
}

export interface PartCount {
  readonly name: string
  readonly source: number
  readonly target: number
}

/** Which parts have another number of rows in the target; said also when none has. */
export function partsThatDiffer(parts: readonly PartCount[], all: number): string[] {
  const differing = parts.filter((part) => part.source !== part.target)
  const scope = parts.length < all ? ` of the first ${parts.length} of ${all} parts` : ''
  if (differing.length === 0) return [`No part${scope} differs in its number of rows: look for values that differ.`]
  return differing.map((part) => `Part "${part.name}": ${part.source} rows in the source, ${part.target} in its commit record.`)
}
