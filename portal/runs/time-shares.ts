import type { TimeBreakdown } from '@postern/protocol/api/runs.ts'

const STEPS = [
  ['queueMs', 'Queue', 'Ready, but no node had a free slot', 'gray.6'],
  ['firstByteMs', 'First byte', 'Until the source began to send', 'violet.6'],
  ['readMs', 'Read', 'The target waited for the source', 'blue.6'],
  ['writeMs', 'Write', 'The source waited for the target', 'orange.7'],
  ['commitMs', 'Commit', 'Until the target had made it last', 'pink.7'],
] as const satisfies readonly (readonly [keyof TimeBreakdown, string, string, string])[]

export interface TimeShare {
  readonly name: string
  readonly means: string
  readonly color: string
  readonly ms: number
  /** Of 100. */
  readonly percent: number
}

/** Where the time went; empty while none has. */
export function timeShares(times: TimeBreakdown): readonly TimeShare[] {
  const all = STEPS.reduce((sum, [key]) => sum + times[key], 0)
  if (all <= 0) return []
  return STEPS.map(([key, name, means, color]) => ({ name, means, color, ms: times[key], percent: (times[key] / all) * 100 }))
}
