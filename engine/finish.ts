/** Task `finish`: hold both ends against each other, then make the copy visible. A copy that differs is not published. */
import { Fault } from '@postern/protocol/fault.ts'
import type { FinishResult, TaskOrder } from '@postern/protocol/node-api.ts'
import { NOT_VERIFIED } from './compare.ts'
import { type PlanContext, parseContext, parseResult, parseSpec } from './context.ts'
import { ENGINE_LIMITS } from './limits.ts'
import type { Pair } from './pair.ts'
import { type MovedCopy, type MovedPart, verify } from './verify.ts'

export async function finish(order: TaskOrder, pair: Pair, signal: AbortSignal): Promise<FinishResult> {
  const context = parseContext(order.context)
  const moved: MovedCopy = { run: order.run, pair, context, parts: movedParts(order, context) }
  if (await pair.sink.published?.(context.target, order.run, signal)) return publishedBefore(moved)
  const verification = await verify(moved, signal)
  const notes = alreadyThere(moved.parts)
  if (verification.status === 'failed') return { verification, notes }
  const parts = moved.parts.map(({ task, result }) => ({ part: result.index, task, commit: result.commit }))
  await pair.sink.publish({ target: context.target, run: order.run, parts }, signal)
  return { verification, notes }
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
