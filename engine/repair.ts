/**
 * Task `repair`: look for the parts that differ, and order them anew. Nothing is changed here: each new part takes the old rows out and
 * puts the new ones in as one, so that to do it twice, or half, leaves the target as it was or as it should be.
 */
import { Fault } from '@postern/protocol/fault.ts'
import type { RepairResult, TaskOrder } from '@postern/protocol/task-api.ts'
import { canRepairPublished, movedCopy } from './finish.ts'
import { ENGINE_LIMITS } from './limits.ts'
import type { Pair } from './pair.ts'
import { tellsApart, verify } from './verify.ts'

export async function repair(order: TaskOrder, pair: Pair, signal: AbortSignal): Promise<RepairResult> {
  const { copy, into, sink } = pair
  if (!into.can.sink?.repairs) throw new Fault('COPY_UNSUPPORTED', { at: `${into.kind}: the rows of a part cannot be replaced there` })
  if (copy.verify === 'none') {
    throw new Fault('INPUT_INVALID', {
      at: 'the copy was not verified, so nothing tells which parts differ',
      remedy: 'Copy again with --verify counts or checksum.',
    })
  }
  const moved = movedCopy(order, pair)
  if (!canRepairPublished(pair) && (await sink.published?.(moved.context.target, order.run, signal))) {
    throw new Fault('COPY_UNSUPPORTED', { at: 'the copy has passed its verification and is published', remedy: 'Start the copy again.' })
  }
  sink.refuseRepair?.(moved.context.target)
  if (!tellsApart(moved)) {
    throw new Fault('COPY_UNSUPPORTED', {
      at: `${moved.context.target.title}: nothing tells the rows of one part from those of others, or from what was there before`,
      remedy: 'Start the copy again.',
    })
  }
  const report = await verify(moved, signal, { partwise: true })
  const differing = new Set(report.parts?.filter(({ status }) => status === 'differs').map(({ task }) => task))
  const bad = moved.parts.filter(({ task }) => differing.has(task))
  const names = bad.map(({ spec }) => spec.part.name).join(', ')
  const found = bad.length === 0 ? 'No part differs by itself.' : `Copied again, because they differ: ${names}.`
  return {
    context: order.context,
    notes: [found, ...(bad.length === 0 ? report.notes : [])]
      .slice(0, ENGINE_LIMITS.notes)
      .map((note) => note.slice(0, ENGINE_LIMITS.noteLength)),
    replaces: bad.map(({ task }) => task),
    parts: bad.map(({ task, spec, result }) => ({
      name: `${spec.part.name} (again)`.slice(0, ENGINE_LIMITS.nameLength),
      estimatedRows: result.rowsRead ?? spec.part.estimatedRows,
      spec: { ...spec, replaces: [task] },
    })),
  }
}
