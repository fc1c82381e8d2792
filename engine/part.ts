/** Task `part`: move the rows of one part, with the record of their commit. Safe to do twice, also at the same time. */
import type { Commit, PartStream, Slot } from '@postern/connectors/contract.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { TaskOrder } from '@postern/protocol/node-api.ts'
import { type PartResult, type PlanContext, parseContext, parseSpec } from './context.ts'
import { Meter } from './meter.ts'
import type { Pair } from './pair.ts'
import type { Tally } from './tally.ts'

export async function movePart(order: TaskOrder, pair: Pair, tally: Tally, signal: AbortSignal): Promise<PartResult> {
  const context = parseContext(order.context)
  const { index } = parseSpec(order.spec)
  const slot: Slot = { run: order.run, task: order.task, attempt: order.attempt }
  const there = await pair.sink.committed(context.target, slot, signal)
  if (there) return alreadyThere(index, there, tally)
  try {
    return await move(order, context, pair, { tally, slot }, signal)
  } catch (cause) {
    if (!(cause instanceof Fault) || cause.code !== 'COMMIT_LOST') throw cause
    const winner = await pair.sink.committed(context.target, slot, signal)
    if (!winner) throw cause
    return alreadyThere(index, winner, tally)
  }
}

function alreadyThere(index: number, commit: Commit, tally: Tally): PartResult {
  tally.set({ rowsRead: commit.rows, rowsWritten: commit.rows, bytesRead: commit.bytes, bytesWritten: commit.bytes })
  return { index, commit, rowsRead: null, snapshot: null, already: true }
}

interface Moving {
  readonly tally: Tally
  readonly slot: Slot
}

async function move(order: TaskOrder, context: PlanContext, pair: Pair, moving: Moving, signal: AbortSignal): Promise<PartResult> {
  const { target } = context
  const { index, part } = parseSpec(order.spec)
  const snapshot = context.snapshot?.id ?? null
  const stream = await pair.source.read({ shape: context.shape, part, encoding: target.encoding, snapshot }, signal)
  const meter = new Meter(stream, moving.tally)
  try {
    const agree = (rows: number) => countedAlike(stream, meter, rows, part.name)
    const commit = await pair.sink.write({ target, slot: moving.slot, part: index, bytes: meter.bytes, agree }, signal)
    const rowsRead = stream.rows()
    moving.tally.set({ rowsRead, rowsWritten: commit.rows, bytesRead: meter.counted, bytesWritten: commit.bytes })
    return { index, commit, rowsRead, snapshot, already: false }
  } catch (cause) {
    moving.tally.set({ bytesRead: meter.counted })
    throw meter.fault(cause)
  } finally {
    meter.stop()
  }
}

/** Each end counts for itself, the source what it sent, the target what it took: rows that differ are not committed. */
function countedAlike(stream: PartStream, meter: Meter, taken: number, name: string): void {
  const rows = stream.rows()
  if (meter.done && rows === taken) return
  throw new Fault('VERIFICATION_FAILED', {
    at: meter.done
      ? `part ${name}: the source sent ${rows} rows, the target took ${taken}`
      : `part ${name}: the target took ${taken} rows and left the rest`,
    details: { sourceRows: rows, targetRows: taken },
  })
}
