import type { RunView, TaskView } from '@postern/protocol/api/runs.ts'
import type { Shell } from '../shell.ts'
import { duration } from './format.ts'
import { overallLine, taskLine } from './run-text.ts'

/** So many task lines at a time: those that run first, then those that ended last. */
const TASK_LINES = 12
/** Where there is no terminal, a line every so often is enough. */
const QUIET_MS = 5_000
const COLUMNS = 120

/** A run as it goes: on a terminal lines that are drawn again, otherwise a line for what has changed. Always on stderr. */
export class RunProgress {
  readonly #shell: Pick<Shell, 'stderr' | 'clock'>
  readonly #live: boolean
  readonly #rates = new Map<string, { readonly at: number; readonly rows: number; readonly rate: number | undefined }>()
  readonly #told = new Map<string, string>()
  #drawn = 0
  #lastLine = Number.NEGATIVE_INFINITY
  #said = ''

  constructor(shell: Pick<Shell, 'stderr' | 'clock'>) {
    this.#shell = shell
    this.#live = shell.stderr.isTTY === true
  }

  show(run: RunView): void {
    const elapsed =
      run.startedAt === null ? 0 : run.endedAt === null ? Math.max(0, this.#shell.clock.now() - Date.parse(run.startedAt)) : run.durationMs
    if (this.#live) this.#draw(run, elapsed)
    else this.#tell(run, elapsed)
  }

  /** A line between the others; the same is not said twice in a row. */
  say(text: string): void {
    if (this.#said === text) return
    this.#said = text
    this.#drawn = 0
    this.#shell.stderr.write(`${text}\n`)
  }

  end(): void {
    this.#drawn = 0
  }

  #draw(run: RunView, elapsed: number): void {
    const width = this.#shell.stderr.columns || COLUMNS
    const shown = mostTelling(run.tasks)
    const lines = [...shown.map((task) => taskLine(task, this.#rateOf(task))), overallLine(run, elapsed)]
    if (run.tasks.length > shown.length) lines.splice(-1, 0, `  … and ${run.tasks.length - shown.length} tasks more`)
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A` : ''
    this.#shell.stderr.write(`${up}${lines.map((line) => `\u001b[2K${line.slice(0, width - 1)}\n`).join('')}\u001b[0J`)
    this.#drawn = lines.length
  }

  #tell(run: RunView, elapsed: number): void {
    for (const task of run.tasks) {
      const state = `${task.status} ${task.node} ${task.attempts.length}`
      if (this.#told.get(task.id) === state || task.status === 'waiting' || task.status === 'ready') continue
      this.#told.set(task.id, state)
      const by = task.node === null ? '' : ` on ${task.node}`
      const took = task.status === 'succeeded' ? ` in ${duration(task.durationMs)}` : ''
      const fault = task.attempts.at(-1)?.fault
      this.#shell.stderr.write(`${titleOf(task)} ${task.status}${by}${took}${fault ? `: ${fault.message}` : ''}\n`)
    }
    const now = this.#shell.clock.monotonic()
    if (now - this.#lastLine < QUIET_MS && run.endedAt === null) return
    this.#lastLine = now
    this.#shell.stderr.write(`${overallLine(run, elapsed)}\n`)
  }

  /** Rows a second since the last look, smoothed. */
  #rateOf(task: TaskView): number | undefined {
    if (task.status !== 'running') return undefined
    const now = this.#shell.clock.monotonic()
    const before = this.#rates.get(task.id)
    const fresh = before && now > before.at ? ((task.rowsWritten - before.rows) / (now - before.at)) * 1_000 : undefined
    const rate = fresh === undefined || fresh < 0 ? before?.rate : before?.rate === undefined ? fresh : before.rate * 0.6 + fresh * 0.4
    this.#rates.set(task.id, { at: now, rows: task.rowsWritten, rate })
    return rate
  }
}

const titleOf = (task: TaskView) => (task.name === task.kind ? task.kind : `${task.kind} "${task.name}"`)

const ORDER = ['running', 'failed', 'cancelled', 'succeeded', 'ready', 'waiting']

function mostTelling(tasks: readonly TaskView[]): readonly TaskView[] {
  if (tasks.length <= TASK_LINES) return tasks
  const chosen = new Set(tasks.toSorted((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status)).slice(0, TASK_LINES))
  return tasks.filter((task) => chosen.has(task))
}
