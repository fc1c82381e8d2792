import type { Digest } from '@postern/connectors/contract.ts'
import type { VerificationReport } from '@postern/protocol/api/runs.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { comparable } from './comparable.ts'
import { type Comparison, compare, NOT_VERIFIED, type PartCount, partsThatDiffer } from './compare.ts'
import type { PartResult, PartSpec, PlanContext } from './context.ts'
import { ENGINE_LIMITS } from './limits.ts'
import type { Pair } from './pair.ts'

export interface MovedPart {
  readonly task: string
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

export async function verify(moved: MovedCopy, signal: AbortSignal): Promise<VerificationReport> {
  const { pair, context, run } = moved
  const method = pair.copy.verify
  if (method === 'none') return NOT_VERIFIED
  const checksum = method === 'checksum'
  const columns = comparable(context.shape.columns, context.target.columns)
  // Two stores: they count at the same time.
  const [source, target] = await bothOrNone(
    (either) => digestSource(moved, { columns: columns.source, checksum }, either),
    (either) => pair.sink.digest({ target: context.target, run, columns: columns.target, checksum }, either),
    signal,
  )
  const notes = [...source.notes, ...(checksum ? leftOut(columns.leftOut) : [])]
  const comparison: Comparison = { method, source: source.digest, target, notes }
  const report = compare(comparison)
  if (report.status === 'passed') return clamped(report)
  const asRead = source.moment === 'now' ? compareAsRead(moved, comparison) : undefined
  if (asRead?.status === 'passed') return clamped(asRead)
  return clamped({ ...report, notes: [...report.notes, ...(await examine(moved, source.moment, signal))] })
}

/** When the source was counted: at the moment that all parts show, or now, when it may have changed. */
type Moment = 'read' | 'now'

interface SourceDigest {
  readonly digest: Digest
  readonly moment: Moment
  readonly notes: readonly string[]
}

type Wanted = Parameters<Pair['source']['digest']>[0]

async function digestSource(moved: MovedCopy, wanted: Pick<Wanted, 'columns' | 'checksum'>, signal: AbortSignal): Promise<SourceDigest> {
  const { pair, context, parts } = moved
  const all = { part: null, parts: parts.map(({ spec }) => spec.part), encoding: context.target.encoding }
  const digest = (snapshot: string | null) => pair.source.digest({ ...wanted, ...all, shape: context.shape, snapshot }, signal)
  if (context.snapshot === null) return { digest: await digest(null), moment: 'read', notes: [] }
  const { id } = context.snapshot
  if (parts.some(({ result }) => result.snapshot !== null && result.snapshot !== id)) {
    return {
      digest: await digest(null),
      moment: 'now',
      notes: ['Parts were read under two snapshots, so the source was digested as it is now.'],
    }
  }
  try {
    return { digest: await digest(id), moment: 'read', notes: [] }
  } catch (cause) {
    if (!(cause instanceof Fault) || cause.code !== 'SNAPSHOT_LOST') throw cause
    const notes = ['The snapshot of the source is gone, so the source was digested as it is now.']
    return { digest: await digest(null), moment: 'now', notes }
  }
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

/** Looks at each part by itself: the source's rows against the commit record's. */
async function examine({ pair, context, parts }: MovedCopy, moment: Moment, signal: AbortSignal): Promise<string[]> {
  if (parts.length < 2) return []
  const snapshot = moment === 'read' ? (context.snapshot?.id ?? null) : null
  const counts: PartCount[] = []
  try {
    for (const { spec, result } of parts.slice(0, ENGINE_LIMITS.partsExamined)) {
      const request = { shape: context.shape, part: spec.part, snapshot, columns: [], checksum: false, encoding: context.target.encoding }
      const { rows } = await pair.source.digest(request, signal)
      counts.push({ name: spec.part.name, source: rows, target: result.commit.rows })
    }
  } catch (cause) {
    // The report is worth more than its last detail; an abort shows at the next step anyway.
    return [`The parts could not be counted one by one: ${Fault.from(cause).message}`]
  }
  return partsThatDiffer(counts, parts.length)
}

function leftOut(columns: readonly string[]): string[] {
  return columns.length === 0 ? [] : [`Not in the checksum, because the types have no common form: ${columns.join(', ')}.`]
}

/** Two things at once: when one fails the other is stopped, and both have ended before this does. */
async function bothOrNone<A, B>(
  first: (signal: AbortSignal) => Promise<A>,
  second: (signal: AbortSignal) => Promise<B>,
  signal: AbortSignal,
): Promise<[A, B]> {
  const failed = new AbortController()
  const either = AbortSignal.any([signal, failed.signal])
  let cause: unknown
  const guard = <Value>(work: Promise<Value>) =>
    work.catch((thrown: unknown) => {
      cause ??= thrown
      failed.abort()
      throw thrown
    })
  const [a, b] = await Promise.allSettled([guard(first(either)), guard(second(either))])
  if (a.status === 'fulfilled' && b.status === 'fulfilled') return [a.value, b.value]
  throw cause
}

function clamped(report: VerificationReport): VerificationReport {
  return { ...report, notes: report.notes.slice(0, ENGINE_LIMITS.notes).map((note) => note.slice(0, ENGINE_LIMITS.noteLength)) }
}
