/** Follows a run: one bar a task, with the node that has it. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@postern/client/client.ts'
import type { RunView, TaskView } from '@postern/protocol/api/runs.ts'
import { Block, bar, count } from './screen.ts'

const LOOK_MS = 100
const RUN_MS = 120_000

/** Resolves with the ended run. `onLook` sees each state on the way. */
export async function follow(
  client: Client,
  id: string,
  onLook: (run: RunView) => Promise<void> | void = () => undefined,
): Promise<RunView> {
  const block = new Block()
  const until = performance.now() + RUN_MS
  for (;;) {
    const run = await client.runs.get(id, AbortSignal.timeout(10_000))
    if (run.status !== 'queued' && run.status !== 'running') {
      block.end(lines(run))
      return run
    }
    if (performance.now() > until) throw new Error(`run ${id} has not ended within ${RUN_MS / 1_000} s`)
    block.draw(lines(run))
    await onLook(run)
    await sleep(LOOK_MS)
  }
}

function lines(run: RunView): readonly string[] {
  const parts = run.tasks.filter(({ kind }) => kind === 'part')
  const last = run.status === 'running' || run.status === 'queued' ? [phase(run)] : []
  return [...parts.map(line), ...last]
}

function line(task: TaskView): string {
  const done = task.status === 'succeeded'
  const fraction = done ? 1 : task.estimatedRows ? Math.min(0.99, task.rowsRead / task.estimatedRows) : 0
  const tries = task.attempts.length > 1 ? `  try ${task.attempts.length}` : ''
  const rows = `${count(done ? task.rowsWritten : task.rowsRead).padStart(9)} rows`
  return `${task.name.padEnd(34)} ${bar(fraction)} ${rows}  ${(task.node ?? '').padEnd(8)} ${task.status}${tries}`
}

function phase(run: RunView): string {
  const busy = run.tasks.find(({ status, kind }) => kind !== 'part' && (status === 'running' || status === 'ready'))
  return busy ? `${busy.kind} on ${busy.node ?? '…'}` : ''
}

/** "4 tasks on node-a, 4 on node-b": who ended what. */
export function shares(run: RunView): ReadonlyMap<string, number> {
  const shares = new Map<string, number>()
  for (const { kind, node } of run.tasks) if (kind === 'part' && node) shares.set(node, (shares.get(node) ?? 0) + 1)
  return shares
}
