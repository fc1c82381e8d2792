import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { GatewayId, NodeId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { NODE_PATHS } from '@postern/protocol/link.ts'
import { DispatchResponse, type TaskOrder } from '@postern/protocol/node-api.ts'
import type { z } from 'zod'
import type { Db } from '../db/database.ts'
import type { LinkRegistry } from '../links/link-registry.ts'
import type { DispatcherLeases } from '../nodes/dispatcher-leases.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import { loseAttempt } from './report-service.ts'
import type { RunService } from './run-service.ts'
import type { Pulling } from './task-repository.ts'
import { TaskRepository } from './task-repository.ts'
import type { TaskSignal } from './task-signal.ts'

/** Tasks of other replicas, and those whose wait is over, are found by looking so often at the latest. */
const LOOK_MS = 1_000
const SOON_MS = 5

export interface DispatchServiceParts {
  readonly db: Db
  readonly runs: RunService
  readonly leases: Pick<DispatcherLeases, 'check'>
  readonly nodes: Pick<NodeDirectory, 'get'>
  readonly links: Pick<LinkRegistry, 'call'>
  readonly signal: TaskSignal
  readonly clock: Clock
}

/** Gives ready tasks to dispatchers, and passes orders on to workers whose channel is broken. */
export class DispatchService implements Component {
  readonly name = 'dispatch'
  readonly #parts: DispatchServiceParts
  readonly #tasks: TaskRepository
  readonly #stopping = new AbortController()

  constructor(parts: DispatchServiceParts) {
    this.#parts = parts
    this.#tasks = new TaskRepository(parts.db)
  }

  async start(): Promise<void> {}

  /** Pulls that are held open end, so that the process can. */
  async drain(): Promise<void> {
    this.#stopping.abort()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
  }

  /** Held open until there is something, for at most LIMITS.pullMs. Fails with LEASE_LOST for any but the dispatcher of now. */
  async pull(node: NodeId, { epoch, max }: { readonly epoch: number; readonly max: number }, signal: AbortSignal): Promise<TaskOrder[]> {
    const { clock } = this.#parts
    const gatewayId = this.#gatewayOf(node)
    const pulling = { gatewayId, dispatcher: node, epoch, max }
    const until = clock.monotonic() + LIMITS.pullMs
    const over = AbortSignal.any([signal, this.#stopping.signal])
    for (;;) {
      const armed = this.#parts.signal.arm(gatewayId)
      try {
        const orders = await this.#take(pulling)
        const left = until - clock.monotonic()
        if (orders.length > 0 || left <= 0 || over.aborted) return orders
        const ready = await this.#tasks.nextReadyMs(gatewayId)
        await this.#wait(armed.woken, Math.min(left, LOOK_MS, Math.max(SOON_MS, ready ?? LOOK_MS)), over)
      } finally {
        armed.disarm()
      }
      if (over.aborted) return []
    }
  }

  /** The dispatcher left before it got these: they are ready for the next one at once. */
  async giveBack(orders: readonly TaskOrder[]): Promise<void> {
    for (const { task, attempt, run } of orders) {
      await loseAttempt(this.#parts, {
        ref: { task, attempt },
        run,
        fault: new Fault('STOPPING', { at: 'The dispatcher left.' }),
        how: 'returned',
      })
    }
  }

  /** The dispatcher's channel to the worker is broken: the order goes by the worker's link. */
  async relay(dispatcher: NodeId, worker: NodeId, order: unknown): Promise<z.infer<typeof DispatchResponse>> {
    const { nodes, links } = this.#parts
    if (nodes.get(worker)?.gatewayId !== this.#gatewayOf(dispatcher)) throw new Fault('NODE_UNKNOWN', { at: worker })
    const answer = await links.call(worker, NODE_PATHS.dispatch, order, AbortSignal.timeout(LIMITS.callMs))
    return DispatchResponse.parse(answer)
  }

  async #take(pulling: Pulling): Promise<TaskOrder[]> {
    await this.#parts.leases.check(pulling.gatewayId, pulling.dispatcher, pulling.epoch)
    const pulled = await this.#tasks.pull(pulling)
    return await Promise.all(
      pulled.map(async (row): Promise<TaskOrder> => {
        const order = { ...row, epoch: pulling.epoch }
        return row.kind === 'finish' ? { ...order, parts: await this.#tasks.results(row.run) } : order
      }),
    )
  }

  async #wait(woken: Promise<void>, ms: number, over: AbortSignal): Promise<void> {
    const enough = new AbortController()
    const late = this.#parts.clock.sleep(ms, AbortSignal.any([over, enough.signal])).catch(() => undefined)
    await Promise.race([woken, late])
    enough.abort()
    await late
  }

  #gatewayOf(node: NodeId): GatewayId {
    const known = this.#parts.nodes.get(node)
    if (!known) throw new Fault('NODE_UNKNOWN', { at: node })
    return known.gatewayId
  }
}
