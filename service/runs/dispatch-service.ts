import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { GatewayId, NodeId, TaskId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { NODE_PATHS } from '@postern/protocol/link.ts'
import { DispatchResponse, type PullRequest, type TaskOrder } from '@postern/protocol/task-api.ts'
import type { z } from 'zod'
import type { Db } from '../db/database.ts'
import type { LinkRegistry } from '../links/link-registry.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import { loseAttempt } from './report-service.ts'
import type { RunService } from './run-service.ts'
import type { TaskLimitBook } from './task-limits.ts'
import { type PulledRow, type Pulling, TaskQueue } from './task-queue.ts'
import { TaskRepository } from './task-repository.ts'
import type { TaskSignal } from './task-signal.ts'

/** Tasks of other replicas, and those whose wait is over, are found by looking so often at the latest. */
const LOOK_MS = 1_000
const SOON_MS = 5
/** A snapshot holds a connection of its node: so many a node leave room for the parts that read. */
const SNAPSHOTS_PER_NODE = 3

export interface DispatchServiceParts {
  readonly db: Db
  readonly runs: RunService
  readonly nodes: Pick<NodeDirectory, 'get' | 'nodesOf' | 'dispatcherOf'>
  readonly limits: TaskLimitBook
  readonly links: Pick<LinkRegistry, 'call'>
  readonly signal: TaskSignal
  readonly clock: Clock
}

/** A worker has ended a task. */
interface AfterReport {
  readonly epoch: number
  /** The task, where its run may go on with another. */
  readonly after: TaskId | undefined
  /** It has made others ready. */
  readonly wake: boolean
}

/** Gives ready tasks to dispatchers, and passes orders on to workers whose channel is broken. */
export class DispatchService implements Component {
  readonly name = 'dispatch'
  readonly #parts: DispatchServiceParts
  readonly #tasks: TaskRepository
  readonly #queue: TaskQueue
  readonly #stopping = new AbortController()

  constructor(parts: DispatchServiceParts) {
    this.#parts = parts
    this.#tasks = new TaskRepository(parts.db)
    this.#queue = new TaskQueue(parts.db)
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
  async pull(node: NodeId, { epoch, max, free }: z.infer<typeof PullRequest>, signal: AbortSignal): Promise<TaskOrder[]> {
    const { clock } = this.#parts
    const gatewayId = this.#gatewayOf(node)
    const slots = free && new Map(free.map((one) => [one.node, one.slots] as const))
    const pulling = { gatewayId, dispatcher: node, epoch, max, free: slots, snapshots: this.#snapshots(gatewayId) }
    const until = clock.monotonic() + LIMITS.pullMs
    const over = AbortSignal.any([signal, this.#stopping.signal])
    for (;;) {
      const armed = this.#parts.signal.arm(gatewayId)
      try {
        const orders = await this.#take(pulling)
        if (!orders) throw new Fault('LEASE_LOST')
        const left = until - clock.monotonic()
        if (orders.length > 0 || left <= 0 || over.aborted) return orders
        const ready = await this.#queue.nextReadyMs(gatewayId)
        await this.#wait(armed.woken, Math.min(left, LOOK_MS, Math.max(SOON_MS, ready ?? LOOK_MS)), over)
      } finally {
        armed.disarm()
      }
      if (over.aborted) return []
    }
  }

  /**
   * A worker whose slot is free again takes what is next at once: the way over the dispatcher, who hears of free slots only with
   * the beats, is for what finds a worker idle. Undefined when there is nothing, or the lease has gone to another meanwhile.
   */
  async next(node: NodeId, { epoch, after, wake }: AfterReport): Promise<TaskOrder | undefined> {
    const own = after && (await this.#afterOwn(node, epoch, after))
    if (own) return own
    if (wake) this.wake(node)
    const pulling = this.#pullingOf(node, epoch)
    const [order] = (pulling && (await this.#take(pulling))) ?? []
    return order
  }

  /** There is something for the dispatcher of this node's gateway. */
  wake(node: NodeId): void {
    this.#parts.signal.wake(this.#gatewayOf(node))
  }

  /** What only waited for the task that has ended. */
  async #afterOwn(node: NodeId, epoch: number, after: TaskId): Promise<TaskOrder | undefined> {
    const pulling = this.#pullingOf(node, epoch)
    const row = pulling && (await this.#queue.pullAfter(after, pulling))
    return row && (await this.#orderOf(row, epoch))
  }

  /** For the one free slot of a worker; undefined when it is to take nothing. */
  #pullingOf(node: NodeId, epoch: number) {
    const { nodes } = this.#parts
    const facts = nodes.get(node)
    if (!facts?.enabled || facts.draining || this.#stopping.signal.aborted) return undefined
    const { gatewayId } = facts
    const dispatcher = nodes.dispatcherOf(gatewayId).node ?? node
    const free = new Map([[node, 1]])
    const worker = { id: node, name: facts.name }
    return { gatewayId, dispatcher, epoch, max: 1, free, snapshots: this.#snapshots(gatewayId), worker }
  }

  /** The dispatcher left before it got these: they are ready for the next one at once. */
  async giveBack(orders: readonly TaskOrder[]): Promise<void> {
    for (const { task, attempt } of orders) {
      const run = await this.#tasks.runOf(task)
      if (!run) continue
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

  /** Undefined for any but the dispatcher of now. */
  async #take(pulling: Pulling): Promise<TaskOrder[] | undefined> {
    const { limits, runs } = this.#parts
    const { gatewayId, worker } = pulling
    const pulled = await this.#queue.pull(pulling)
    for (const { run, task, kind } of pulled ?? []) {
      limits.forget(run)
      // Nobody will report that it has begun.
      if (worker && kind === 'plan') await runs.begin(run, task, gatewayId)
    }
    return pulled && (await Promise.all(pulled.map((row) => this.#orderOf(row, pulling.epoch))))
  }

  async #orderOf({ run, targetRun, rejects, watermark, parts, limited, ...row }: PulledRow, epoch: number): Promise<TaskOrder> {
    const order = {
      ...row,
      run: targetRun,
      epoch,
      ...(rejects ? { rejects } : {}),
      ...(row.copy.watermark ? { watermark: watermark ?? null } : {}),
    }
    switch (row.kind) {
      case 'part':
        return { ...order, limits: limited ? await this.#parts.limits.ofRun(run) : {} }
      case 'finish':
      case 'repair':
        return { ...order, parts: parts ?? [] }
      case 'cleanup':
        return { ...order, parts: await this.#tasks.begun(run) }
      case 'plan':
      case 'snapshot':
        return order
      default:
        return row.kind satisfies never
    }
  }

  #snapshots(gatewayId: GatewayId): number {
    const nodes = this.#parts.nodes.nodesOf(gatewayId).filter((node) => node.alive() && node.enabled && !node.draining)
    return SNAPSHOTS_PER_NODE * Math.max(1, nodes.length)
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
