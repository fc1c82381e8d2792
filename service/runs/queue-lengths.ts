import type { GatewayId } from '@postern/protocol/ids.ts'
import { Gauge, type Registry } from 'prom-client'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import type { TaskQueue } from './task-queue.ts'

export interface QueueLength {
  readonly tasks: number
  readonly waitedMs: number
}

const EMPTY: QueueLength = { tasks: 0, waitedMs: 0 }

/** How long the queue of each gateway is, as it was looked at last: to be shown also while the database is away. */
export class QueueLengths {
  readonly #queue: Pick<TaskQueue, 'lengths'>
  #lengths: ReadonlyMap<GatewayId, QueueLength> = new Map()

  constructor(queue: Pick<TaskQueue, 'lengths'>, nodes: Pick<NodeDirectory, 'gateways'>, registry: Registry) {
    this.#queue = queue
    const each = () => nodes.gateways().map(({ id, name }) => ({ gateway: name, ...this.of(id) }))
    const parts = { labelNames: ['gateway'] as const, registers: [registry] }
    new Gauge({
      ...parts,
      name: 'postern_queued_tasks',
      help: 'Tasks of copies that are ready and wait for a free slot, by gateway',
      collect() {
        this.reset()
        for (const { gateway, tasks } of each()) this.set({ gateway }, tasks)
      },
    })
    new Gauge({
      ...parts,
      name: 'postern_task_queue_seconds',
      help: 'How long the first of them has waited',
      collect() {
        this.reset()
        for (const { gateway, waitedMs } of each()) this.set({ gateway }, waitedMs / 1_000)
      },
    })
  }

  of(gateway: GatewayId): QueueLength {
    return this.#lengths.get(gateway) ?? EMPTY
  }

  async look(): Promise<void> {
    const lengths = await this.#queue.lengths()
    this.#lengths = new Map(lengths.map(({ gateway, tasks, waitedMs }) => [gateway, { tasks, waitedMs: Math.round(waitedMs) }]))
  }
}
