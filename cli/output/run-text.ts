import type { RunView, TaskView, VerificationReport } from '@postern/protocol/api/runs.ts'
import { bytes, count, duration, percent } from './format.ts'
import { breakdown, leftText, queueText } from './run-figures-text.ts'

const BAR = 20

/** How a run ended, in lines for a person. */
export function runResult(run: RunView): string[] {
  const skipped = run.rowsSkipped > 0 ? `, ${count(run.rowsSkipped)} rows skipped` : ''
  const rate = run.durationMs > 0 ? `, ${count((run.rowsWritten / run.durationMs) * 1_000)} rows/s` : ''
  const lines = [
    `${run.id} ${run.status}: ${count(run.rowsWritten)} rows, ${bytes(run.bytesWritten)} in ${duration(run.durationMs)}${rate}${skipped}`,
    `  ${run.name}`,
    `  guarantee ${run.guarantee ?? 'not known'}, lane ${run.lane ?? 'not known'}, nodes ${nodesOf(run).join(', ') || 'none'}`,
    `  verification ${verificationText(run.verification)}`,
    ...(moved(run) ? [`  time ${breakdown(run.times)}`] : []),
    ...(run.hint === null ? [] : [`  hint: ${run.hint}`]),
  ]
  return [...lines, ...[...run.verification.notes, ...run.notes].map((text) => `  note: ${text}`)]
}

const moved = ({ times: { firstByteMs, readMs, writeMs, commitMs } }: RunView) => firstByteMs + readMs + writeMs + commitMs > 0

export function verificationText(report: VerificationReport): string {
  const { method, status, sourceRows, targetRows, sourceChecksum, targetChecksum } = report
  if (method === 'none' || status === 'pending' || status === 'skipped') return status
  const rows = `${number(sourceRows)} rows at the source, ${number(targetRows)} at the target`
  if (method === 'counts') return `${status} (${rows})`
  const same = sourceChecksum !== null && sourceChecksum === targetChecksum
  return `${status} (${rows}, checksums ${same ? `the same: ${sourceChecksum}` : `${sourceChecksum ?? '-'} and ${targetChecksum ?? '-'}`})`
}

/** One line a task: bar, figures, node. */
export function taskLine(task: TaskView, rowsPerSecond: number | undefined): string {
  const share = task.share ?? undefined
  const filled = Math.round((share ?? 0) * BAR)
  const bar = share === undefined ? '·'.repeat(BAR) : '█'.repeat(filled) + '░'.repeat(BAR - filled)
  const figure = share === undefined ? '' : `${Math.floor(share * 100)} %`
  const tries = task.attempts.length > 1 ? `, attempt ${task.attempts.length}` : ''
  const rate = rowsPerSecond === undefined ? '' : `, ${count(rowsPerSecond)} rows/s, ${bytes(task.bytesPerSecond)}/s${leftText(task.etaMs)}`
  const moved = task.kind === 'part' ? `: ${count(task.rowsWritten)} rows, ${bytes(task.bytesWritten)}${rate}` : ''
  return `${bar} ${figure.padStart(5)}  ${task.status.padEnd(9)} ${(task.node ?? '-').padEnd(10)} ${task.name}${moved}${tries}`
}

export function overallLine(run: RunView, elapsedMs: number): string {
  const parts = run.tasks.filter((task) => task.kind === 'part')
  const ended = parts.filter((task) => task.status === 'succeeded').length
  const rate = run.rowsWritten > 0 ? `, ${count(run.rowsPerSecond)} rows/s, ${bytes(run.bytesPerSecond)}/s` : ''
  const done = run.share === null ? '' : `, ${percent(run.share * 100)}${leftText(run.etaMs)}`
  const waits = run.endedAt === null && run.queuedTasks > 0 ? `, ${queueText(run)}` : ''
  const plan = parts.length === 0 ? 'planning' : `${ended} of ${parts.length} tasks`
  return `${run.status}: ${plan}, ${count(run.rowsWritten)} rows, ${bytes(run.bytesWritten)}${rate}${done}, ${duration(elapsedMs)}${waits}`
}

const number = (value: number | null) => (value === null ? '-' : count(value))

function nodesOf(run: RunView): string[] {
  return [...new Set(run.tasks.flatMap((task) => task.attempts.flatMap((attempt) => (attempt.node === null ? [] : [attempt.node]))))].sort()
}
