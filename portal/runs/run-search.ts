import type { TaskStatus } from '@postern/protocol/api/runs.ts'

export const RUN_TABS = ['tasks', 'nodes', 'verification', 'copy', 'notes'] as const
const TASK_STATUSES = ['waiting', 'ready', 'running', 'succeeded', 'failed', 'cancelled'] as const satisfies readonly TaskStatus[]

/** What of a run is in view, in its address. */
export interface RunSearch {
  readonly tab?: (typeof RUN_TABS)[number]
  /** The task whose attempts are shown. */
  readonly task?: string
  readonly node?: string
  readonly status?: (typeof TASK_STATUSES)[number]
}

/** What an address says, as far as it makes sense. */
export function readRunSearch(search: Record<string, unknown>): RunSearch {
  const tab = RUN_TABS.find((one) => one === search['tab'])
  const status = TASK_STATUSES.find((one) => one === search['status'])
  const [task, node] = [textOf(search['task']), textOf(search['node'])]
  return { ...(tab && { tab }), ...(task && { task }), ...(node && { node }), ...(status && { status }) }
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value.slice(0, 200) : typeof value === 'number' ? String(value) : undefined
