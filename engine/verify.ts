/** Holds a copy whose parts have all moved against its source: part by part where the target can tell them apart, and as a whole. */
import type { Digest } from '@postern/connectors/copy-contract.ts'
import type { PartVerification, VerificationReport } from '@postern/protocol/api/runs.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { TaskId } from '@postern/protocol/ids.ts'
import { bothOrNone } from './both.ts'
import { comparable } from './comparable.ts'
import { type Comparison, compare, compareParts, NOT_VERIFIED, type PartPair, partsThatDiffer } from './compare.ts'
import { extentOf, type PartResult, type PartSpec, type PlanContext } from './context.ts'
import { ENGINE_LIMITS } from './limits.ts'
import type { Pair } from './pair.ts'
import { digestSource, partsOfSource, type SourceDigest } from './source-side.ts'

export interface MovedPart {
  readonly task: TaskId
  readonly spec: PartSpec
  readonly result: PartResult
}

/** A copy whose parts are all in the target, or in its staging. */
export interface MovedCopy {
  readonly run: string
  readonly pair: Pair
  readonly context: PlanContext
  readonly parts: readonly MovedPart[]
}

/** `partwise`: parts are held one by one against what the target has of them now, also where only rows are counted. */
export async function verify(moved: MovedCopy, signal: AbortSignal, { partwise = false } = {}): Promise<VerificationReport> {
  const method = moved.pair.copy.verify
  if (method === 'none') return NOT_VERIFIED
  const apart = (method === 'checksum' || partwise) && tellsApart(moved)
  return clamped(apart ? await byPart(moved, method, signal) : await asAWhole(moved, method, signal))
}

export function tellsApart({ pair: { sink }, context, parts }: MovedCopy): boolean {
  return sink.digestParts !== undefined && sink.tellsApart?.(context.target, slots({ context, parts })) !== false
}

export const skippedOf = (parts: readonly MovedPart[]): number => parts.reduce((sum, { result }) => sum + (result.commit.skipped ?? 0), 0)

/**
 * Checksums, each part's against its own: what was read under two snapshots can be compared too. That no row lies outside of all parts, or in two, the count of the whole source tells.
 */
async function byPart(moved: MovedCopy, method: Comparison['method'], signal: AbortSignal): Promise<VerificationReport> {
  const { pair, context, run, parts } = moved
  const checksum = method === 'checksum'
  const columns = comparable(context.shape.columns, context.target.columns)
  const asked = { target: context.target, run, columns: columns.target, checksum, encoding: context.target.encoding }
  const [source, target] = await bothOrNone(
    (either) => partsOfSource(moved, { columns: columns.source, checksum }, either),
    async (either) => ({
      parts: (await pair.sink.digestParts?.({ ...asked, parts: slots(moved) }, either)) ?? [],
      whole: await pair.sink.digest({ ...asked, checksum: false }, either),
    }),
    signal,
  )
  const pairs = parts.map(({ task, spec, result }, index): PartPair => {
    const [from, into] = [source.parts[index] ?? NOTHING, target.parts[index] ?? NOTHING]
    return { task, name: spec.part.name, source: from, target: into, skipped: result.commit.skipped ?? 0, leftOut: result.leftOut }
  })
  return compareParts({
    method,
    parts: pairs,
    wholeSource: source.whole,
    wholeTarget: target.whole,
    notes: [...source.notes, ...(checksum ? leftOut(columns.leftOut) : [])],
  })
}

const NOTHING: Digest = { rows: 0, checksum: '0' }

async function asAWhole(moved: MovedCopy, method: Comparison['method'], signal: AbortSignal): Promise<VerificationReport> {
  const { pair, context, run, parts } = moved
  const skipped = skippedOf(parts)
  const sumLeftOut = leftOutOf(parts)
  const checksum = method === 'checksum' && sumLeftOut !== null
  const columns = comparable(context.shape.columns, context.target.columns)
  // Two stores: they count at the same time.
  const asked = { target: context.target, run, columns: columns.target, checksum, encoding: context.target.encoding }
  const [source, target] = await bothOrNone(
    (either) => digestSource(moved, { columns: columns.source, checksum }, either),
    (either) => pair.sink.digest(asked, either),
    signal,
  )
  const notCompared =
    method === 'checksum' && !checksum
      ? ['Rows were left out of which no checksum is known, so their number was compared and not the values.']
      : []
  const notes = [...source.notes, ...notCompared, ...(checksum ? leftOut(columns.leftOut) : [])]
  const comparison: Comparison = {
    method: checksum ? method : 'counts',
    source: source.digest,
    target,
    skipped,
    leftOut: sumLeftOut,
    notes,
  }
  const report = { ...compare(comparison), method }
  if (report.status === 'passed') return { ...report, parts: asCommitted(parts) }
  const asRead = source.moment === 'now' ? compareAsRead(moved, comparison) : undefined
  if (asRead?.status === 'passed') return { ...asRead, parts: asCommitted(parts) }
  const examined = await examine(moved, source, signal)
  return { ...report, ...examined, notes: [...report.notes, ...examined.notes] }
}

/** What the source's checksum has of the rows that all parts left out; null where that is not known of all. */
function leftOutOf(parts: readonly MovedPart[]): string | null {
  let sum = 0n
  for (const { result } of parts) {
    if ((result.commit.skipped ?? 0) === 0) continue
    if (result.leftOut === null) return null
    sum += BigInt(result.leftOut)
  }
  return String(sum)
}

/** What each part has reported itself; the whole has been counted. */
function asCommitted(parts: readonly MovedPart[]): PartVerification[] {
  return parts.map(({ task, spec, result }) => {
    const { rows, skipped = 0 } = result.commit
    const counts = { sourceRows: result.rowsRead, targetRows: rows, skippedRows: skipped, sourceChecksum: null, targetChecksum: null }
    return { task, name: spec.part.name, status: 'same' as const, ...counts }
  })
}

/** A source that has changed since is no fault of the copy: what it counted itself while the parts were read still holds. */
function compareAsRead({ parts }: MovedCopy, comparison: Comparison): VerificationReport | undefined {
  if (comparison.method !== 'counts') return undefined
  let rows = 0
  for (const { result } of parts) {
    if (result.rowsRead === null) return undefined
    rows += result.rowsRead
  }
  const since = `The source has ${comparison.source.rows} rows now and sent ${rows} while it was read: it has changed since.`
  return compare({ ...comparison, source: { rows, checksum: null }, notes: [...comparison.notes, since] })
}

/** After a difference: counts each part by itself, in the source, and in the target where that can tell them apart. */
async function examine(moved: MovedCopy, source: SourceDigest, signal: AbortSignal) {
  const { pair, context, parts, run } = moved
  const snapshot = source.moment === 'read' ? (context.snapshot?.id ?? null) : null
  const { target } = context
  const some = parts.slice(0, ENGINE_LIMITS.partsExamined)
  const pairs: PartPair[] = []
  try {
    const asked = { target, run, columns: [], checksum: false, encoding: target.encoding }
    const there = tellsApart(moved)
      ? await pair.sink.digestParts?.({ ...asked, parts: slots({ context, parts: some }) }, signal)
      : undefined
    for (const [index, { task, spec, result }] of some.entries()) {
      const request = { shape: context.shape, part: spec.part, snapshot, columns: [], checksum: false, encoding: target.encoding }
      const from = await pair.source.digest(request, signal)
      const into = there?.[index] ?? { rows: result.commit.rows, checksum: null }
      pairs.push({ task, name: spec.part.name, source: from, target: into, skipped: result.commit.skipped ?? 0, leftOut: null })
    }
  } catch (cause) {
    // The report is worth more than its last detail; an abort shows at the next step anyway.
    return { notes: [`The parts could not be counted one by one: ${Fault.from(cause).message}`] }
  }
  const { notes, parts: compared } = partsThatDiffer(pairs, parts.length)
  return { notes, parts: compared }
}

function slots({ context, parts }: Pick<MovedCopy, 'context' | 'parts'>) {
  return parts.map(({ task, spec, result }) => {
    return { task, part: result.index, again: spec.replaces !== undefined, ...extentOf(context, spec) }
  })
}

function leftOut(columns: readonly string[]): string[] {
  return columns.length === 0 ? [] : [`Not in the checksum, because the types have no common form: ${columns.join(', ')}.`]
}

function clamped(report: VerificationReport): VerificationReport {
  return { ...report, notes: report.notes.slice(0, ENGINE_LIMITS.notes).map((note) => note.slice(0, ENGINE_LIMITS.noteLength)) }
}
