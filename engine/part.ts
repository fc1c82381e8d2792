/** Task `part`: move the rows of one part, with the record of their commit. Safe to do twice, also at the same time. */
import type { Clock } from '@postern/base/clock.ts'
import type { Commit, Digest, PartStream, Sink, SkippedRow, Slot } from '@postern/connectors/copy-contract.ts'
import { numberOfRow } from '@postern/connectors/rows/row-number.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { TaskLimits, TaskOrder } from '@postern/protocol/task-api.ts'
import { comparable } from './comparable.ts'
import { extentOf, type PartResult, type PlanContext, parseContext, parseSpec } from './context.ts'
import { FirstBad, isUnplaced } from './first-bad.ts'
import { Meter } from './meter.ts'
import type { Pair } from './pair.ts'
import { Rejects } from './rejects.ts'
import { Stopwatch } from './stopwatch.ts'
import type { Tally } from './tally.ts'

export interface PartParts {
  readonly pair: Pair
  readonly tally: Tally
  readonly clock: Clock
  readonly limits: () => TaskLimits
  /** Where rows go that are left out. */
  readonly rejects: Sink | undefined
}

export async function movePart(order: TaskOrder, parts: PartParts, signal: AbortSignal): Promise<PartResult> {
  const { sink } = parts.pair
  const context = parseContext(order.context)
  const { index } = parseSpec(order.spec)
  const slot: Slot = { run: order.run, task: order.task, attempt: order.attempt }
  // Only an attempt before this one can have left a record. One beside it is found by the record that it makes.
  const there = order.attempt > 1 ? await sink.committed(context.target, slot, signal) : undefined
  if (there) return alreadyThere(index, there, parts.tally)
  try {
    return await moveOrPlace(order, context, parts, signal)
  } catch (cause) {
    if (!(cause instanceof Fault) || cause.code !== 'COMMIT_LOST') throw cause
    const winner = await sink.committed(context.target, slot, signal)
    if (!winner) throw cause
    return alreadyThere(index, winner, parts.tally)
  }
}

function alreadyThere(index: number, commit: Commit, tally: Tally): PartResult {
  const { rows, bytes, skipped = 0 } = commit
  tally.set({ rowsRead: rows + skipped, rowsWritten: rows, rowsSkipped: skipped, bytesRead: bytes, bytesWritten: bytes })
  return { index, commit, rowsRead: null, snapshot: null, already: true, source: null, leftOut: null }
}

/** A target that cannot say which row it does not take is asked row by row; that costs a second reading. */
async function moveOrPlace(order: TaskOrder, context: PlanContext, parts: PartParts, signal: AbortSignal): Promise<PartResult> {
  const attempt: Attempt = { refusedBySink: false, find: false }
  try {
    return await move(order, context, { ...parts, attempt }, signal)
  } catch (cause) {
    const { copy, into } = parts.pair
    const text = context.target.encoding !== 'file' && context.target.encoding !== 'pg-binary'
    if (copy.skipIncompatibleRows || !into.can.sink?.skips || !text || !attempt.refusedBySink || !isUnplaced(cause)) throw cause
    return await move(order, context, { ...parts, attempt: { ...attempt, find: true } }, signal).catch((second: unknown) => {
      throw second instanceof Fault && second.code === 'ROW_INVALID' ? second : cause
    })
  }
}

interface Attempt {
  /** It failed by what the sink said. */
  refusedBySink: boolean
  /** To find the first row that the sink does not take. */
  readonly find: boolean
}

async function move(
  order: TaskOrder,
  context: PlanContext,
  parts: PartParts & { readonly attempt: Attempt },
  signal: AbortSignal,
): Promise<PartResult> {
  const { pair, tally, clock, limits, attempt } = parts
  const { target } = context
  const spec = parseSpec(order.spec)
  const { index, part, replaces } = spec
  const snapshot = context.snapshot?.id ?? null
  const watch = new Stopwatch(clock)
  const rejects = rejectsOf(order, context, parts, signal)
  const left = rejects && ((row: SkippedRow) => rejects.unread(row))
  const stream = await pair.source.read({ shape: context.shape, part, encoding: target.encoding, snapshot, ...(left && { left }) }, signal)
  const meter = new Meter({ stream, tally, clock, watch, limits })
  // Under a snapshot both see the same rows, whichever is first; elsewhere it would be two readers of one file at a time.
  const digesting = snapshot === null ? undefined : digestSource(order, context, pair, signal)
  try {
    const agree = (rows: number) => countedAlike(stream, meter, { taken: rows, skipped: rejects?.count ?? 0, name: part.name })
    const slot: Slot = { run: order.run, task: order.task, attempt: order.attempt }
    const skip = rejects ?? (attempt.find ? new FirstBad(target.title) : undefined)
    const more = { ...(skip && { skip }), ...(replaces && { replaces, ...extentOf(context, spec) }) }
    const commit = await pair.sink.write({ target, slot, part: index, bytes: meter.bytes, agree, ...more }, signal)
    const rowsRead = stream.rows()
    const times = watch.times()
    tally.set({
      rowsRead,
      rowsWritten: commit.rows,
      rowsSkipped: commit.skipped ?? 0,
      bytesRead: meter.counted,
      bytesWritten: commit.bytes,
      times,
    })
    const source = await (digesting ?? digestSource(order, context, pair, signal))
    return { index, commit, rowsRead, snapshot, already: false, source, leftOut: rejects?.checksum ?? null }
  } catch (cause) {
    tally.set({ bytesRead: meter.counted, rowsSkipped: rejects?.count ?? 0, times: watch.times() })
    const fault = meter.fault(cause)
    attempt.refusedBySink = fault === cause
    throw fault
  } finally {
    meter.stop()
    await rejects?.abandon()
  }
}

function rejectsOf(order: TaskOrder, context: PlanContext, { pair, rejects: sink }: PartParts, signal: AbortSignal): Rejects | undefined {
  const { skipIncompatibleRows: skip } = pair.copy
  if (!skip) return undefined
  const { index, part } = parseSpec(order.spec)
  const into = sink && context.rejects && { sink, target: context.rejects }
  const slot: Slot = { run: order.run, task: order.task, attempt: order.attempt }
  return new Rejects({ limit: skip.limit, part: part.name, index, slot, into, numberOf: numberOf(context, pair.copy) }, signal)
}

function numberOf({ shape, target }: PlanContext, { verify }: Pair['copy']) {
  if (verify !== 'checksum') return undefined
  const digested = comparable(shape.columns, target.columns).source
  return (row: Buffer) => numberOfRow(row, { columns: shape.columns, digested, encoding: target.encoding })
}

/**
 * What the source has for the part: taken here, so that all nodes share the work, and at the moment that the part shows. If it cannot be
 * had the part is none the worse: `finish` tries again.
 */
async function digestSource(order: TaskOrder, context: PlanContext, { copy, source }: Pair, signal: AbortSignal): Promise<Digest | null> {
  if (copy.verify !== 'checksum') return null
  const { shape, target } = context
  const { part } = parseSpec(order.spec)
  const { source: columns } = comparable(shape.columns, target.columns)
  const snapshot = context.snapshot?.id ?? null
  try {
    return await source.digest({ shape, part, snapshot, columns, checksum: true, encoding: target.encoding }, signal)
  } catch {
    return null
  }
}

interface Counted {
  readonly taken: number
  readonly skipped: number
  readonly name: string
}

/** Each end counts for itself, the source what it sent, the target what it took: rows that differ are not committed. */
function countedAlike(stream: PartStream, meter: Meter, { taken, skipped, name }: Counted): void {
  const rows = stream.rows()
  if (meter.done && rows === taken + skipped) return
  const left = skipped > 0 ? ` and left out ${skipped}` : ''
  throw new Fault('VERIFICATION_FAILED', {
    at: meter.done
      ? `part ${name}: the source sent ${rows} rows, the target took ${taken}${left}`
      : `part ${name}: the target took ${taken} rows and left the rest`,
    details: { sourceRows: rows, targetRows: taken },
  })
}
