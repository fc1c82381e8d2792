/** What the figures of a run say to a person: pace, share done, where the time went, what holds it up. Pure. */
import type { RunView, TimeBreakdown } from '@postern/protocol/api/runs.ts'
import type { AttemptRecord, RunRecord, TaskRecord } from './run-record.ts'

export interface Pace {
  readonly rowsPerSecond: number
  readonly bytesPerSecond: number
  readonly share: number | null
  readonly etaMs: number | null
}

/** An estimate is one: less than all until the task says so itself. */
const MOST_SHARE = 0.99
/** Before this much is done, nobody can say how long the rest takes. */
const LEAST_SHARE = 0.01

export function taskPace(task: TaskRecord, attempts: readonly AttemptRecord[], now: number): Pace {
  const last = attempts.at(-1)
  const ms = last ? (last.endedAt?.getTime() ?? now) - last.startedAt.getTime() : 0
  const share = task.kind === 'part' ? shareOfPart(task) : task.status === 'succeeded' ? 1 : null
  return { ...rates(task, ms), share, etaMs: task.status === 'running' ? etaOf(share, ms) : null }
}

export function runPace(run: RunRecord, tasks: readonly TaskRecord[], attempts: readonly AttemptRecord[], now: number): Pace {
  const parts = tasks.filter(({ kind }) => kind === 'part')
  const ids = new Set(parts.map(({ id }) => id))
  const moved = attempts.filter(({ taskId }) => ids.has(taskId))
  const from = Math.min(...moved.map(({ startedAt }) => startedAt.getTime()))
  const to = Math.max(...moved.map(({ endedAt }) => endedAt?.getTime() ?? now))
  const ms = moved.length === 0 ? 0 : to - from
  const share = run.status === 'succeeded' ? 1 : shareOfParts(parts)
  return { ...rates(run, ms), share, etaMs: run.status === 'running' ? etaOf(share, ms) : null }
}

function rates({ rowsWritten, bytesWritten }: { readonly rowsWritten: number; readonly bytesWritten: number }, ms: number) {
  const perSecond = (count: number) => (ms > 0 ? Math.round((count / ms) * 1_000) : 0)
  return { rowsPerSecond: perSecond(rowsWritten), bytesPerSecond: perSecond(bytesWritten) }
}

function shareOfPart({ status, estimatedRows, rowsRead, rowsWritten }: TaskRecord): number | null {
  if (status === 'succeeded') return 1
  if (estimatedRows !== null && estimatedRows > 0) return Math.min(MOST_SHARE, Math.max(rowsRead, rowsWritten) / estimatedRows)
  return status === 'running' ? null : 0
}

/** By estimated rows where all parts have one, else by the number of parts. */
function shareOfParts(parts: readonly TaskRecord[]): number | null {
  if (parts.length === 0) return null
  const weighed = parts.every(({ estimatedRows }) => (estimatedRows ?? 0) > 0)
  const weightOf = (part: TaskRecord) => (weighed ? (part.estimatedRows ?? 1) : 1)
  const all = parts.reduce((sum, part) => sum + weightOf(part), 0)
  return parts.reduce((sum, part) => sum + weightOf(part) * (shareOfPart(part) ?? 0), 0) / all
}

function etaOf(share: number | null, ms: number): number | null {
  if (share === null || share < LEAST_SHARE || ms <= 0) return null
  return Math.round((ms * (1 - share)) / share)
}

export const timesOfTask = ({ queueMs, times }: TaskRecord): TimeBreakdown => ({
  queueMs: Math.round(queueMs),
  firstByteMs: Math.round(times?.firstByteMs ?? 0),
  readMs: Math.round(times?.readMs ?? 0),
  writeMs: Math.round(times?.writeMs ?? 0),
  commitMs: Math.round(times?.commitMs ?? 0),
})

export function timesOfRun(tasks: readonly TaskRecord[]): TimeBreakdown {
  const sum = { queueMs: 0, firstByteMs: 0, readMs: 0, writeMs: 0, commitMs: 0 }
  for (const task of tasks) {
    const times = timesOfTask(task)
    for (const name of Object.keys(sum) as (keyof TimeBreakdown)[]) sum[name] += times[name]
  }
  return sum
}

export function nodesOfRun(tasks: readonly TaskRecord[], attempts: readonly AttemptRecord[], now: number): RunView['nodes'] {
  const byNode = Map.groupBy(
    tasks.filter(({ node }) => node !== null),
    ({ node }) => node ?? '',
  )
  return [...byNode]
    .map(([node, of]) => {
      const ids = new Set(of.map(({ id }) => id))
      const there = attempts.filter((attempt) => attempt.node === node && ids.has(attempt.taskId))
      const from = Math.min(...there.map(({ startedAt }) => startedAt.getTime()))
      const to = Math.max(...there.map(({ endedAt }) => endedAt?.getTime() ?? now))
      const rowsWritten = of.reduce((sum, task) => sum + task.rowsWritten, 0)
      const bytesWritten = of.reduce((sum, task) => sum + task.bytesWritten, 0)
      const running = of.filter(({ status }) => status === 'running').length
      const pace = rates({ rowsWritten, bytesWritten }, there.length === 0 ? 0 : to - from)
      return { node, tasks: of.length, running, rowsWritten, bytesWritten, ...pace }
    })
    .sort((a, b) => (a.node < b.node ? -1 : 1))
}

export interface Bottleneck {
  readonly times: TimeBreakdown
  readonly queuedTasks: number
  readonly runningParts: number
  readonly parallel: number | undefined
  readonly pace: Pick<Pace, 'rowsPerSecond' | 'bytesPerSecond'>
  readonly limits: { readonly rowsPerSecond?: number | undefined; readonly bytesPerSecond?: number | undefined }
  /** The pinned node, when it takes no work now. */
  readonly pinnedAway: string | null
  readonly over: boolean
}

/** Less than this is noise. */
const LEAST_MS = 500
/** A limit that is reached to this share is what holds the copy. */
const AT_LIMIT = 0.85

/** What stands out, and what would help; null when nothing does. */
export function hintOf(facts: Bottleneck): string | null {
  const { times, pace, limits } = facts
  if (facts.pinnedAway !== null && !facts.over) return `The copy is pinned to node ${facts.pinnedAway}, which takes no work now.`
  if (limits.rowsPerSecond !== undefined && pace.rowsPerSecond >= limits.rowsPerSecond * AT_LIMIT)
    return `The limit of ${limits.rowsPerSecond} rows/s is what holds it.`
  if (limits.bytesPerSecond !== undefined && pace.bytesPerSecond >= limits.bytesPerSecond * AT_LIMIT)
    return `The limit of ${limits.bytesPerSecond} bytes/s is what holds it.`
  if (!facts.over && facts.queuedTasks > 0) {
    if (facts.parallel !== undefined && facts.runningParts >= facts.parallel)
      return `${waiting(facts.queuedTasks)} because only ${facts.parallel} may move at a time, as the copy asks: let more (parallel).`
    return `${waiting(facts.queuedTasks)} for a free slot: raise jobConcurrency of the nodes, or add a node.`
  }
  return slowestStep(times)
}

const waiting = (tasks: number) => (tasks === 1 ? '1 task waits' : `${tasks} tasks wait`)

function slowestStep({ firstByteMs, readMs, writeMs, commitMs }: TimeBreakdown): string | null {
  const all = firstByteMs + readMs + writeMs + commitMs
  if (all < LEAST_MS) return null
  const percent = (ms: number) => Math.round((ms / all) * 100)
  if (firstByteMs / all >= 0.4)
    return `The source is slow to begin: ${percent(firstByteMs)} % of the time went by before the first byte. An index for what is read, or fewer parts, would help.`
  if (commitMs / all >= 0.3)
    return `Commits take ${percent(commitMs)} % of the time: fewer, larger parts or a faster disk of the target would help.`
  if (readMs / all >= 0.6)
    return `The source is the bottleneck: the target waited for it ${percent(readMs)} % of the time. More parts at a time, or a node nearer to the source, would help.`
  if (writeMs / all >= 0.6)
    return `The target is the bottleneck: the source waited for it ${percent(writeMs)} % of the time. Fewer indexes and triggers on it, or more parts at a time, would help.`
  return null
}
