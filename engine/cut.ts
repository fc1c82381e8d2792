/** Into how many parts, and in which order they are handed out: pure. */
import type { Part, Shape } from '@postern/connectors/copy-contract.ts'
import type { PartSpec } from './context.ts'
import { ENGINE_LIMITS } from './limits.ts'

/** The wish to the source: as many as asked for, else by size; null where nothing is known, then the source decides. */
export function wantedParts(asked: number | undefined, single: boolean, shape: Shape): number | null {
  if (asked !== undefined) return asked
  if (single) return 1
  const bySize = shape.estimatedBytes === null ? null : shape.estimatedBytes / ENGINE_LIMITS.partBytes
  const byRows = shape.estimatedRows === null ? null : shape.estimatedRows / ENGINE_LIMITS.partRows
  const wish = bySize ?? byRows
  return wish === null ? null : Math.min(ENGINE_LIMITS.partsBySize, Math.max(1, Math.ceil(wish)))
}

/** Largest first, so that no long part starts last; a part of unknown size may be the longest. The index stays that of the cut. */
export function largestFirst(parts: readonly Part[]): PartSpec[] {
  const size = (spec: PartSpec) => spec.part.estimatedRows ?? Number.POSITIVE_INFINITY
  return parts.map((part, index) => ({ index, part })).sort((a, b) => bySizeThenIndex(a, b, size))
}

function bySizeThenIndex(a: PartSpec, b: PartSpec, size: (spec: PartSpec) => number): number {
  const [first, second] = [size(a), size(b)]
  return first === second ? a.index - b.index : second > first ? 1 : -1
}
