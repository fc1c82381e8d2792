import { BackOff } from '@postern/base/back-off.ts'
import { Background } from '@postern/base/background.ts'
import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import type { Random } from '@postern/base/random.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { NodeId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { NODE_PATHS, SERVICE_PATHS } from '@postern/protocol/link.ts'
import type { Peer } from '@postern/protocol/node-api.ts'
import { DispatchResponse, PullResponse, type TaskOrder } from '@postern/protocol/task-api.ts'
import type { ServiceClient } from '../calls/service-client.ts'
import type { ChannelClient } from '../channel/channel-client.ts'
import type { Peers } from '../channel/peers.ts'
import type { Worker } from '../work/worker.ts'
import { chooseWorkers, freeSlots, type WorkerLoad } from './choose-worker.ts'
import type { Lease } from './lease.ts'

interface DispatcherParts {
  readonly self: NodeId
  readonly service: ServiceClient
  readonly channel: ChannelClient
  readonly peers: Peers
  readonly worker: Worker
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** An order that was handed to a peer counts against it until its beats, passed on by the service, must show it. */
const ASSIGNED_MS = 2 * LIMITS.beatMs
/** With no free slot anywhere, how long until the next look; a finished task of this node wakes at once. */
const FULL_MS = 250

/** While this node holds the gateway's lease: pulls tasks and hands each to the least-loaded worker, itself included. */
export class Dispatcher implements Component {
  readonly name = 'dispatcher'
  readonly #parts: DispatcherParts
  readonly #stopping = new AbortController()
  readonly #background: Background
  readonly #backOff: BackOff
  /** Per peer, the times at which orders were handed to it. */
  readonly #assigned = new Map<NodeId, number[]>()
  #lease: Lease | undefined
  #tenure = new AbortController()
  #wake = new AbortController()
  #loop: Promise<void> | undefined
  #draining = false
  /** When an order was last given back: then the picture of the workers is wrong, and is given time to mend. */
  #gaveBackAt = Number.NEGATIVE_INFINITY

  constructor(parts: DispatcherParts) {
    this.#parts = parts
    this.#background = new Background((cause) => parts.log.error({ err: cause }, 'an order could not be dispatched'))
    this.#backOff = new BackOff({ firstMs: 200, maxMs: 5_000 }, parts.random)
    parts.worker.onFree(() => this.wake())
  }

  get leading(): boolean {
    return this.#valid() !== undefined
  }

  async start(): Promise<void> {
    this.#loop ??= this.#run()
  }

  async drain(): Promise<void> {
    this.#draining = true
    this.#tenure.abort(new Fault('STOPPING'))
    this.wake()
    await this.#background.idle()
  }

  async stop(): Promise<void> {
    this.#draining = true
    this.#stopping.abort(new Fault('STOPPING'))
    this.#tenure.abort(new Fault('STOPPING'))
    await this.#loop
    await this.#background.idle()
  }

  /** What the beat's answer says; undefined when another holds the lease. */
  hold(lease: Lease | undefined): void {
    if (lease?.epoch !== this.#lease?.epoch) {
      this.#tenure.abort(new Fault('LEASE_LOST'))
      this.#tenure = new AbortController()
      if (lease) this.#parts.log.info({ epoch: lease.epoch }, 'this node is the dispatcher')
      else this.#parts.log.info({ epoch: this.#lease?.epoch }, 'this node is the dispatcher no more')
    }
    this.#lease = lease
    this.wake()
  }

  wake(): void {
    this.#wake.abort()
  }

  #valid(): Lease | undefined {
    const lease = this.#lease
    return lease && !this.#draining && this.#parts.clock.monotonic() < lease.until ? lease : undefined
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      this.#wake = new AbortController()
      const lease = this.#valid()
      if (!lease) await this.#sleep(LIMITS.beatMs)
      else if (this.#free() === 0 || this.#parts.clock.monotonic() - this.#gaveBackAt < FULL_MS) await this.#sleep(FULL_MS)
      else await this.#pull(lease)
    }
  }

  async #pull(lease: Lease): Promise<void> {
    const { service, log } = this.#parts
    const free = this.#loads()
      .map((worker) => ({ node: worker.node, slots: freeSlots(worker) }))
      .filter(({ slots }) => slots > 0)
    const max = Math.min(
      1_000,
      free.reduce((sum, { slots }) => sum + slots, 0),
    )
    try {
      const { orders } = await this.#whileHeld(lease, (signal) => {
        const body = { epoch: lease.epoch, max, free }
        return service.call({ path: SERVICE_PATHS.pull, body, answer: PullResponse, timeoutMs: LIMITS.pullMs + LIMITS.callMs }, signal)
      })
      this.#backOff.reset()
      // What only one node may run takes its slot there before the others choose.
      const pinnedFirst = orders.toSorted((a, b) => Number(Boolean(b.node)) - Number(Boolean(a.node)))
      for (const order of pinnedFirst) this.#background.run(() => this.#dispatch(order))
    } catch (cause) {
      const fault = Fault.from(cause)
      // The service knows of a newer holder before the next beat says so.
      if (fault.code === 'LEASE_LOST' && this.#lease?.epoch === lease.epoch) this.hold(undefined)
      if (this.#stopping.signal.aborted || fault.code === 'LEASE_LOST' || fault.code === 'STOPPING') return
      log.debug({ err: cause }, 'tasks could not be pulled')
      await this.#sleep(this.#backOff.next())
    }
  }

  /** The request ends with the tenure, and when the lease runs out because no beat renewed it. */
  async #whileHeld<Value>(lease: Lease, work: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
    const over = new AbortController()
    const watch = this.#watchLease(lease, over)
    try {
      return await work(AbortSignal.any([this.#tenure.signal, this.#stopping.signal, over.signal]))
    } finally {
      over.abort()
      await watch
    }
  }

  async #watchLease(lease: Lease, over: AbortController): Promise<void> {
    const { clock } = this.#parts
    while (!over.signal.aborted) {
      const held = this.#lease?.epoch === lease.epoch ? this.#lease.until - clock.monotonic() : 0
      if (held <= 0) return over.abort(new Fault('LEASE_LOST'))
      await clock.sleep(held, over.signal).catch(() => undefined)
    }
  }

  /** Tries workers, the least loaded first, of a pinned order only its own; gives it back when nobody takes it. */
  async #dispatch(order: TaskOrder): Promise<void> {
    const refused = new Map<NodeId, string>()
    for (;;) {
      const may = (node: NodeId) => !refused.has(node) && (order.node ?? node) === node
      const next = chooseWorkers(this.#loads()).find(({ node }) => may(node))
      if (!next || this.#stopping.signal.aborted) break
      const answer = await this.#hand(next.node, order)
      if (answer.accepted) return
      refused.set(next.node, answer.reason ?? 'no reason given')
    }
    const names = new Map(this.#parts.peers.all.map((peer) => [peer.id, peer.name]))
    const reasons = [...refused].map(([node, reason]) => `${names.get(node) ?? 'this node'}: ${reason}`)
    await this.#giveBack(order, reasons.join('; ') || 'no worker has a free slot')
  }

  async #hand(node: NodeId, order: TaskOrder): Promise<{ readonly accepted: boolean; readonly reason: string | null }> {
    const { self, worker, peers } = this.#parts
    if (node === self) return worker.offer(order)
    const peer = peers.all.find((one) => one.id === node)
    if (!peer) return { accepted: false, reason: 'it has left the gateway' }
    this.#assign(node)
    const answer = await this.#send(peer, order)
    if (!answer.accepted) this.#assigned.get(node)?.pop()
    return answer
  }

  /** By the channel; where that is broken, through the service. */
  async #send(peer: Peer, order: TaskOrder): Promise<DispatchAnswer> {
    const { channel, service, log } = this.#parts
    const { signal } = this.#stopping
    if (peer.channelAddress !== null) {
      try {
        return DispatchResponse.parse(await channel.call(peer, NODE_PATHS.dispatch, order, signal))
      } catch (cause) {
        const fault = Fault.from(cause)
        if (fault.code !== 'CHANNEL_BROKEN') return { accepted: false, reason: fault.message.slice(0, 500) }
        log.warn({ peer: peer.name, reason: fault.message }, 'channel is broken, dispatching through the service')
      }
    }
    try {
      const body = { worker: peer.id, order }
      return await service.call({ path: SERVICE_PATHS.relayDispatch, body, answer: DispatchResponse }, signal)
    } catch (cause) {
      return { accepted: false, reason: Fault.from(cause).message.slice(0, 500) }
    }
  }

  async #giveBack(order: TaskOrder, reason: string): Promise<void> {
    const { service, log, clock } = this.#parts
    this.#gaveBackAt = clock.monotonic()
    log.info({ task: order.task, attempt: order.attempt, reason }, 'no worker took the task')
    const path = SERVICE_PATHS.attempt(order.task, order.attempt, 'finished')
    const body = { outcome: 'returned', epoch: order.epoch, reason: reason.slice(0, 500) }
    // When this fails too, the service takes the silent attempt back by itself.
    await service.call({ path, body }).catch((cause: unknown) => log.debug({ err: cause }, 'the task could not be given back'))
  }

  #loads(): readonly WorkerLoad[] {
    const { self, worker, peers, clock } = this.#parts
    const since = clock.monotonic() - ASSIGNED_MS
    const others = peers.all
      .filter((peer) => peer.online && peer.acceptsWork)
      .map((peer) => {
        const recent = (this.#assigned.get(peer.id) ?? []).filter((at) => at > since)
        this.#assigned.set(peer.id, recent)
        return { node: peer.id, running: peer.runningJobs, assigned: recent.length, limit: peer.jobLimit, cpuPercent: peer.cpuPercent }
      })
    const own = { node: self, running: worker.running.length, assigned: 0, limit: worker.limit, cpuPercent: worker.cpuPercent }
    return [own, ...others]
  }

  #free(): number {
    return this.#loads().reduce((sum, worker) => sum + freeSlots(worker), 0)
  }

  #assign(node: NodeId): void {
    const times = this.#assigned.get(node) ?? []
    times.push(this.#parts.clock.monotonic())
    this.#assigned.set(node, times)
  }

  async #sleep(ms: number): Promise<void> {
    const either = AbortSignal.any([this.#stopping.signal, this.#wake.signal])
    await this.#parts.clock.sleep(ms, either).catch(() => undefined)
  }
}

type DispatchAnswer = { readonly accepted: boolean; readonly reason: string | null }
