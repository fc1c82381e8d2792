/** Task `finish`: hold both ends against each other, then make the copy visible. A copy that differs is not published. */
import type { Sink } from '@postern/connectors/copy-contract.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { FinishResult, TaskOrder } from '@postern/protocol/task-api.ts'
import { NOT_VERIFIED } from './compare.ts'
import { type PlanContext, parseContext, parseResult, parseSpec } from './context.ts'
import { ENGINE_LIMITS } from './limits.ts'
import type { Pair } from './pair.ts'
import { rejectSlot, tooMany } from './rejects.ts'
import { type MovedCopy, type MovedPart, skippedOf, verify } from './verify.ts'

/** `rejects`: the sink for rows that were left out, where the copy names one. */
export async function finish(order: TaskOrder, pair: Pair, rejects: Sink | undefined, signal: AbortSignal): Promise<FinishResult> {
  const moved = movedCopy(order, pair)
  const { context } = moved
  const publish = { target: context.target, run: order.run, parts: moved.parts.map(committed) }
  if (!repairedWherePublished(moved) && (await pair.sink.published?.(context.target, order.run, signal))) {
    // The attempt that published it may have been lost before it had taken away what was replaced.
    await pair.sink.publish(publish, signal)
    return publishedBefore(moved)
  }
  refuseTooMany(moved)
  const verification = await verify(moved, signal, { partwise: moved.parts.some(({ spec }) => spec.replaces !== undefined) })
  const notes = alreadyThere(moved.parts)
  if (verification.status === 'failed') return { verification, notes }
  // Before the rows: whoever sees those finds what is missing.
  const left = await publishRejects(moved, rejects, signal)
  await pair.sink.publish(publish, signal)
  return { verification, notes: [...left, ...notes] }
}

const committed = ({ task, result }: MovedPart) => ({ part: result.index, task, commit: result.commit })

/** Then what was published before is not what is there now; and it can still be compared. */
function repairedWherePublished({ pair, parts }: MovedCopy): boolean {
  return canRepairPublished(pair) && parts.some(({ spec }) => spec.replaces !== undefined)
}

/** Rows that were appended are where they were; what was written aside is gone, unless the sink finds it again. */
export function canRepairPublished({ copy, into }: Pair): boolean {
  return copy.mode === 'append' || into.can.sink?.repairsPublished === true
}

export function movedCopy(order: TaskOrder, pair: Pair): MovedCopy {
  const context = parseContext(order.context)
  return { run: order.run, pair, context, parts: movedParts(order, context) }
}

/** Each part has kept to the limit by itself; here it holds for their sum. */
function refuseTooMany({ pair, parts }: MovedCopy): void {
  const limit = pair.copy.skipIncompatibleRows?.limit
  const skipped = skippedOf(parts)
  if (limit !== undefined && skipped > limit) throw tooMany(limit, `${parts.length} parts have left out ${skipped}`)
}

/** Of each part the file of the attempt that committed it, and of no other. */
async function publishRejects({ run, context, parts }: MovedCopy, sink: Sink | undefined, signal: AbortSignal): Promise<string[]> {
  const skipped = skippedOf(parts)
  const many = `${skipped} ${skipped === 1 ? 'row was' : 'rows were'} left out`
  const target = context.rejects
  if (!sink || !target) return skipped === 0 ? [] : [`${many}.`]
  const files = []
  for (const { task, result } of parts) {
    if ((result.commit.skipped ?? 0) === 0) continue
    const slot = rejectSlot({ run, task, attempt: result.commit.attempt })
    const commit = await sink.committed(target, slot, signal)
    // Published before by an attempt that was lost on its way.
    if (commit) files.push({ part: result.index, task: slot.task, commit })
  }
  if (files.length > 0) await sink.publish({ target, run, parts: files }, signal)
  else if (skipped === 0) await sink.discard(target, run, signal)
  return skipped === 0 ? [] : [`${many}: they are in ${target.title}, each with the reason.`]
}

/** All parts of the plan, each once, by their place in it. To publish less would lose rows without a word. */
function movedParts(order: TaskOrder, context: PlanContext): readonly MovedPart[] {
  const parts = (order.parts ?? [])
    .map((part): MovedPart => ({ task: part.task, spec: parseSpec(part.spec), result: parseResult(part.result) }))
    .sort((a, b) => a.spec.index - b.spec.index)
  const whole = parts.length === context.parts && parts.every(({ spec, result }, index) => spec.index === index && result.index === index)
  if (!whole) throw new Fault('INTERNAL', { at: `${parts.length} parts came to be finished, the plan has ${context.parts}` })
  return parts
}

function alreadyThere(parts: readonly MovedPart[]): string[] {
  const names = parts.filter(({ result }) => result.already).map(({ spec }) => spec.part.name)
  if (names.length === 0) return []
  return [`In the target already when they were tried again: ${names.join(', ')}.`.slice(0, ENGINE_LIMITS.noteLength)]
}

/** An attempt before this one came as far as publishing and was lost before it could say so. */
function publishedBefore({ pair, parts }: MovedCopy): FinishResult {
  const notes = ['An earlier attempt has verified and published this copy.']
  const method = pair.copy.verify
  if (method === 'none') return { verification: NOT_VERIFIED, notes }
  const rows = parts.reduce((sum, { result }) => sum + result.commit.rows, 0)
  const report = { method, status: 'passed', sourceChecksum: null, targetChecksum: null } as const
  return { verification: { ...report, sourceRows: rows, targetRows: rows, notes }, notes: [] }
}
