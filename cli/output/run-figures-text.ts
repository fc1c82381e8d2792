/** Figures of a run for a person: pace, where the time went, who moved what. */
import type { RunView, TaskView, TimeBreakdown } from '@postern/protocol/api/runs.ts'
import { bytes, count, duration, percent } from './format.ts'

export const TASK_HEAD = ['TASK', 'WHAT', 'STATUS', 'NODE', 'ROWS', 'SIZE', 'ROWS/S', 'MB/S', 'DONE', 'LEFT', 'TIME', 'ATTEMPTS'] as const
export const NODE_HEAD = ['NODE', 'TASKS', 'RUNNING', 'ROWS', 'SIZE', 'ROWS/S', 'MB/S'] as const

/** Lines below the facts of a run: what waits, how far it is, where its time went, and what would help. */
export function runFigures(run: RunView): string[] {
  const lines = run.times.queueMs + moving(run.times) > 0 ? [`time       ${breakdown(run.times)}`] : []
  if (run.endedAt === null && run.share !== null) lines.unshift(`done       ${percent(run.share * 100)}${leftText(run.etaMs)}`)
  if (run.queuedTasks > 0) lines.unshift(`queue      ${queueText(run)}`)
  if (run.hint !== null) lines.push(`hint       ${run.hint}`)
  return lines.length === 0 ? [] : ['', ...lines]
}

export function queueText(run: Pick<RunView, 'queuedTasks' | 'queueMs' | 'queuePosition'>): string {
  const before = run.queuePosition ? `, ${count(run.queuePosition)} of other runs came before` : ''
  const waiting = run.queuedTasks === 1 ? '1 task waits' : `${count(run.queuedTasks)} tasks wait`
  return `${waiting} for a free slot, the first for ${duration(run.queueMs)}${before}`
}

export function breakdown({ queueMs, firstByteMs, readMs, writeMs, commitMs }: TimeBreakdown): string {
  const steps = [
    ['queue', queueMs],
    ['first byte', firstByteMs],
    ['read', readMs],
    ['write', writeMs],
    ['commit', commitMs],
  ] as const
  return steps.map(([name, ms]) => `${name} ${duration(ms)}`).join(', ')
}

export const leftText = (etaMs: number | null): string => (etaMs === null ? '' : `, ${duration(etaMs)} left`)

export function taskRows(run: RunView): string[][] {
  return run.tasks.map((task) => [
    task.kind,
    task.name,
    task.status,
    task.node ?? '-',
    count(task.rowsWritten),
    bytes(task.bytesWritten),
    ...pace(task, task.kind === 'part' && task.bytesWritten > 0),
    task.share === null ? '-' : percent(task.share * 100),
    task.etaMs === null ? '-' : duration(task.etaMs),
    duration(task.durationMs),
    attemptsOf(task),
  ])
}

export function nodeRows(run: RunView): string[][] {
  return run.nodes.map((node) => [
    node.node,
    count(node.tasks),
    count(node.running),
    count(node.rowsWritten),
    bytes(node.bytesWritten),
    ...pace(node, node.bytesWritten > 0),
  ])
}

function pace({ rowsPerSecond, bytesPerSecond }: { readonly rowsPerSecond: number; readonly bytesPerSecond: number }, known: boolean) {
  return known ? [count(rowsPerSecond), (bytesPerSecond / 1e6).toFixed(1)] : ['-', '-']
}

const moving = ({ firstByteMs, readMs, writeMs, commitMs }: TimeBreakdown) => firstByteMs + readMs + writeMs + commitMs

function attemptsOf(task: TaskView): string {
  const each = task.attempts.map(({ node, status, fault }) => `${node ?? '-'} ${status}${fault ? ` (${fault.code})` : ''}`)
  return each.join(', ') || '-'
}
