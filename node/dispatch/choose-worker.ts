import type { NodeId } from '@postern/protocol/ids.ts'

/** A node as the dispatcher sees it: what runs there, and what has been handed to it that its beats do not show yet. */
export interface WorkerLoad {
  readonly node: NodeId
  readonly running: number
  readonly assigned: number
  readonly limit: number
  readonly cpuPercent: number
}

export const freeSlots = (worker: WorkerLoad): number => Math.max(0, worker.limit - worker.running - worker.assigned)

/** Workers with a free slot, the least loaded first: by share of slots in use, then CPU, then id (so that it is one order). */
export function chooseWorkers(workers: readonly WorkerLoad[]): readonly WorkerLoad[] {
  const share = (worker: WorkerLoad) => (worker.running + worker.assigned) / worker.limit
  return workers
    .filter((worker) => freeSlots(worker) > 0)
    .toSorted((a, b) => share(a) - share(b) || a.cpuPercent - b.cpuPercent || (a.node < b.node ? -1 : 1))
}
