/**
 * Task `plan`: look at both ends, decide, prepare the target, cut the parts. May run again for the same run, also at the same time:
 * what it leaves behind is the target's staging, which the sink finds again, and a snapshot, which ends with the run.
 */
import type { Clock } from '@postern/base/clock.ts'
import type { Encoding, Expected, Shape, Sink, Snapshot, Target } from '@postern/connectors/copy-contract.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { PlanResult, TaskOrder } from '@postern/protocol/task-api.ts'
import type { PlanContext } from './context.ts'
import { largestFirst, wantedParts } from './cut.ts'
import { guaranteeOf } from './guarantee.ts'
import { commonEncodings, type Lane, laneOf } from './lane.ts'
import { ENGINE_LIMITS } from './limits.ts'
import type { Pair } from './pair.ts'
import { samePlace } from './place.ts'
import { rejectPath, rejectShape } from './rejects.ts'
import { readHere, type Snapshots, snapshotOf } from './snapshots.ts'

export interface PlanParts {
  readonly clock: Clock
  readonly snapshots: Snapshots
  /** The sink for rows that are left out, where the copy names one. */
  readonly rejects: Sink | undefined
}

export async function plan(order: TaskOrder, pair: Pair, parts: PlanParts, signal: AbortSignal): Promise<PlanResult> {
  const { copy, source, sink } = pair
  refuseMode(pair)
  refuseSkip(pair)
  refuseFolders(pair)
  const described = await source.describe(copy.from, copy.read, signal, await expected(pair, signal))
  const given = guaranteeOf(pair.from, pair.into, copy.guarantee, described)
  refuseSamePlace(order, pair, described)
  const encodings = commonEncodings({ shape: described, sinkKind: pair.into.kind, accepted: accepted(pair, described), to: copy.to })
  const { mode, key, verify, partitionBy, write: options } = copy
  const wanted = { mode, key, verify, options, ...(partitionBy && { partitionBy }) }
  const target = await sink.prepare({ run: order.run, shape: described, where: copy.to, encodings, ...wanted }, signal)
  const shape = without(described, target.omits)
  await refuseTarget(order, pair, shape, target, signal)
  const lane = laneOf({ sourceKind: shape.kind, target })
  const cut = await cutParts(order, pair, { shape, target, lane }, parts, signal)
  const notes = [lane.note, given.note, ...cut.notes, ...target.notes]
  return {
    lane: lane.name,
    guarantee: given.guarantee,
    notes: notes.slice(0, ENGINE_LIMITS.notes).map((note) => note.slice(0, ENGINE_LIMITS.noteLength)),
    context: cut.context,
    holdsSnapshot: cut.context.snapshot !== null,
    ...(readHere(cut.context) && { readHere: true }),
    ...(copy.watermark !== undefined && { watermark: cut.to }),
    parts: cut.specs.map((spec) => ({
      name: spec.part.name.slice(0, ENGINE_LIMITS.nameLength),
      estimatedRows: spec.part.estimatedRows,
      spec,
    })),
  }
}

/** What the target makes itself is not read. */
function without(shape: Shape, omits: readonly string[] = []): Shape {
  return omits.length === 0 ? shape : { ...shape, columns: shape.columns.filter(({ name }) => !omits.includes(name)) }
}

/** Types that the target decides have no value of their own that a checksum could be taken of, so then the source looks itself. */
async function expected({ copy, from, sink }: Pair, signal: AbortSignal): Promise<Expected> {
  const { columns, files } = (from.can.source?.guesses && (await sink.expects?.(copy.to, copy.write, signal))) || {}
  const known = columns && copy.verify !== 'checksum' ? { columns } : {}
  // Rows can only be left out of files that are read, and go to folders.
  if (copy.skipIncompatibleRows) return { ...known, skip: true }
  return { ...known, ...(files && !copy.partitionBy && { files }) }
}

interface Decided {
  readonly shape: Shape
  readonly target: Target
  readonly lane: Lane
}

async function cutParts(order: TaskOrder, pair: Pair, decided: Decided, parts: PlanParts, signal: AbortSignal) {
  const { target, lane } = decided
  const { copy, source } = pair
  const several = wantedParts(copy.parts, target.single, decided.shape) !== 1
  const snapshot = await takeSnapshot(order, pair, { several, shape: decided.shape }, parts, signal)
  try {
    const { shape, to, notes } = await newRows(order, pair, decided.shape, snapshot?.id ?? null, signal)
    const { splitBy } = copy
    const wanted = wantedParts(copy.parts, target.single, shape)
    const how = { wanted, snapshot: snapshot?.id ?? null, encoding: target.encoding, ...(splitBy !== undefined && { splitBy }) }
    const split = await source.split(shape, how, signal)
    if (split.length === 0) throw new Fault('INTERNAL', { at: `${shape.title}: the source cut it into no part at all` })
    const specs = largestFirst(split)
    // One part read in one go sees one moment by itself; only verification needs to see that moment again.
    const needed = snapshot !== null && (specs.length > 1 || copy.verify !== 'none' || copy.watermark !== undefined)
    if (snapshot && !needed) await parts.snapshots.close(order.run, snapshot)
    const context: PlanContext = {
      version: 1,
      lane: lane.name,
      shape,
      target,
      parts: specs.length,
      snapshot: needed ? { id: snapshot.id, takenAt: new Date(parts.clock.now()).toISOString() } : null,
      ...(await prepareRejects(order, pair, shape, parts, signal)),
    }
    return { context, specs, to, notes: [...notes, partsNote(specs.length, wanted, context)] }
  } catch (cause) {
    if (snapshot) await parts.snapshots.close(order.run, snapshot)
    throw cause
  }
}

async function takeSnapshot(
  order: TaskOrder,
  { copy, source, from }: Pair,
  { several, shape }: { readonly several: boolean; readonly shape: Shape },
  parts: PlanParts,
  signal: AbortSignal,
) {
  // The bound of an incremental copy must be of the same moment as its rows.
  if (!several && copy.verify === 'none' && copy.watermark === undefined) return null
  const snapshot: Snapshot | null = await snapshotOf({ source, from, shape }, signal)
  if (snapshot) parts.snapshots.hold(order.run, snapshot)
  return snapshot
}

function partsNote(cut: number, wanted: number | null, context: PlanContext): string {
  const many = cut === 1 ? '1 part' : `${cut} parts`
  const fewer = wanted !== null && cut < wanted ? ` (${wanted} wanted; the source cannot be cut further)` : ''
  const moment = context.snapshot ? ', read and verified under one snapshot of the source' : ''
  return `${many}${fewer}${moment}${readHere(context) ? ', all by the node that holds it' : ''}.`
}

function refuseMode({ copy, into }: Pair): void {
  const modes = into.can.sink?.modes ?? []
  if (modes.includes(copy.mode)) return
  throw new Fault('COPY_UNSUPPORTED', { at: `mode ${copy.mode}: ${into.kind} has ${modes.join(', ')}` })
}

function refuseSkip({ copy, into }: Pair): void {
  if (copy.skipIncompatibleRows && !into.can.sink?.skips) {
    throw new Fault('COPY_UNSUPPORTED', { at: `skipIncompatibleRows: ${into.kind} cannot leave single rows out` })
  }
}

function refuseFolders({ copy, into }: Pair): void {
  if (copy.partitionBy && !into.can.sink?.folders) throw new Fault('COPY_UNSUPPORTED', { at: `partitionBy: ${into.kind} has no folders` })
}

/** Rows can only be told apart, and shown in a reject file, as text. */
function accepted({ copy, sink }: Pair, shape: Shape): readonly Encoding[] {
  const all = sink.accepts(shape, copy.to)
  return copy.skipIncompatibleRows ? all.filter((encoding) => encoding !== 'pg-binary' && encoding !== 'file') : all
}

/** Of an incremental copy only what is above the last one's end; of any other all. */
async function newRows(order: TaskOrder, pair: Pair, shape: Shape, snapshot: string | null, signal: AbortSignal) {
  const { copy, source, from } = pair
  if (copy.watermark === undefined) return { shape, to: null, notes: [] }
  if (!source.above) throw new Fault('COPY_UNSUPPORTED', { at: `watermark: a store of kind ${from.kind} cannot be copied incrementally` })
  const last = order.watermark ?? null
  const found = await source.above({ shape, column: copy.watermark, from: last, snapshot }, signal)
  const since = last === null ? 'from the beginning' : `above ${last}`
  const until = found.to === null ? 'there is no such row' : `up to ${found.to}`
  return { ...found, notes: [`Incremental by ${copy.watermark}: rows ${since}, ${until}.`] }
}

async function prepareRejects(order: TaskOrder, { copy }: Pair, shape: Shape, { rejects }: PlanParts, signal: AbortSignal) {
  const named = copy.skipIncompatibleRows?.rejects
  if (!named || !rejects) return {}
  const where = rejectPath(named.path, order.run)
  const own = rejectShape(shape.title)
  const target = await rejects.prepare(
    { run: order.run, shape: own, where, mode: 'append', key: [], encodings: ['csv'], verify: 'none' },
    signal,
  )
  return { rejects: { ...target, title: `${named.store}:${where}` } }
}

function refuseSamePlace(order: TaskOrder, { copy }: Pair, shape: Shape): void {
  if (order.source.id !== order.sink.id) return
  if (samePlace(copy.from, copy.to) || samePlace(shape.title, copy.to)) throw same(copy.to)
}

function same(place: string): Fault {
  return new Fault('INPUT_INVALID', {
    at: `to: ${place} is what the copy reads`,
    remedy: 'Name another table or path, or another store, with --to.',
  })
}

/** What only the prepared target can tell. Every attempt would be refused alike, so what was prepared is taken away. */
async function refuseTarget(order: TaskOrder, pair: Pair, shape: Shape, target: Target, signal: AbortSignal): Promise<void> {
  const { copy, sink } = pair
  const onItself = order.source.id === order.sink.id && samePlace(shape.title, target.title)
  const tooMany = target.single && copy.parts !== undefined && copy.parts > 1
  if (!onItself && !tooMany) return
  await sink.discard(target, order.run, signal)
  if (onItself) throw same(copy.to)
  throw new Fault('INPUT_INVALID', {
    at: `parts: ${copy.parts} parts do not go into the one file ${copy.to}`,
    remedy: 'End the path with "/" to get one file a part, or leave the number of parts out.',
  })
}
