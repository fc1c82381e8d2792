import { Fault } from '@postern/protocol/fault.ts'
import type { GatewayId, NodeId } from '@postern/protocol/ids.ts'

/** The most queries that wait for one gateway, and the most of one caller among them; more fail at once. */
export const QUEUE = { gateway: 1_000, caller: 250 } as const
/** What frees a place without telling us (a limit that was raised, an average that has sunk) is seen after this time at the latest. */
const LOOK_MS = 200

interface Waiter {
  /** Waiters of the same kind can take the same nodes: where one finds none, the others need not look. */
  readonly kind: string
  /** True when it need not wait any more: it was admitted, or it failed. */
  readonly attempt: () => boolean
}

/** Callers in the order of their turns; each with its queries in the order of their coming. */
interface Queue {
  readonly callers: Map<string, Set<Waiter>>
  size: number
  readonly looking: NodeJS.Timeout
}

/** What the replicas tell each other of what runs. */
export interface OtherReplicas {
  elsewhere(nodeId: NodeId): number
  counted(nodeId: NodeId, running: number): void
}

export interface AdmitOptions<Picked> {
  readonly gatewayId: GatewayId
  /** Places are given to callers in turns, however many queries each has waiting. */
  readonly caller?: string
  readonly kind?: string
  /** The node to take, or undefined while all are at their limits. What it throws ends the wait. */
  readonly pick: () => Picked | undefined
  /** What to say when it was in vain. */
  readonly full?: () => Fault
  /** 0: not at all. */
  readonly timeoutMs: number
  /** Asked for only where there is a wait: a signal costs more than the rest of this. */
  readonly signal?: () => AbortSignal
}

/**
 * How many queries run on each node, and who waits when all nodes of a gateway are at their limits: callers by turns, for a
 * bounded time in a bounded queue. What went through other replicas counts too, as far as it was told.
 */
export class Admission {
  readonly #others: OtherReplicas | undefined
  readonly #running = new Map<NodeId, number>()
  readonly #queues = new Map<GatewayId, Queue>()

  constructor(others?: OtherReplicas) {
    this.#others = others
  }

  running(nodeId: NodeId): number {
    return this.#here(nodeId) + (this.#others?.elsewhere(nodeId) ?? 0)
  }

  waiting(gatewayId: GatewayId): number {
    return this.#queues.get(gatewayId)?.size ?? 0
  }

  /** Takes a place on the picked node; give it back with `release`. Answers at once, without a promise, where no wait is needed. */
  admit<Picked extends { readonly id: NodeId }>(options: AdmitOptions<Picked>): Picked | Promise<Picked> {
    const { gatewayId, caller = '', timeoutMs, full = atLimit } = options
    const queue = this.#queues.get(gatewayId)
    // Who comes now and may wait stands behind those who wait already.
    const picked = queue && timeoutMs > 0 ? undefined : options.pick()
    if (picked) return this.#take(picked)
    if (timeoutMs === 0) throw full()
    if (queue && queue.size >= QUEUE.gateway) throw new Fault('GATEWAY_QUEUE_FULL', { at: `(${QUEUE.gateway})` })
    if ((queue?.callers.get(caller)?.size ?? 0) >= QUEUE.caller) throw new Fault('CALLER_QUEUE_FULL', { at: `(${QUEUE.caller})` })
    return this.#wait(options)
  }

  release(gatewayId: GatewayId, nodeId: NodeId): void {
    const left = this.#here(nodeId) - 1
    if (left > 0) this.#running.set(nodeId, left)
    else this.#running.delete(nodeId)
    this.#others?.counted(nodeId, Math.max(0, left))
    this.wake(gatewayId)
  }

  /** Something changed for this gateway: a place is free, a node came or went, a limit was raised. */
  wake(gatewayId: GatewayId): void {
    const queue = this.#queues.get(gatewayId)
    if (!queue) return
    const stuck = new Set<string>()
    // A caller that was served goes to the end, where this very loop comes to it again: a round for each free place.
    for (const [caller, waiters] of queue.callers) {
      if (!serveOne(waiters, stuck) || waiters.size === 0) continue
      queue.callers.delete(caller)
      queue.callers.set(caller, waiters)
    }
  }

  #take<Picked extends { readonly id: NodeId }>(picked: Picked): Picked {
    const running = this.#here(picked.id) + 1
    this.#running.set(picked.id, running)
    this.#others?.counted(picked.id, running)
    return picked
  }

  #here(nodeId: NodeId): number {
    return this.#running.get(nodeId) ?? 0
  }

  #wait<Picked extends { readonly id: NodeId }>(options: AdmitOptions<Picked>): Promise<Picked> {
    const { gatewayId, caller = '', kind = '', pick, timeoutMs, full = atLimit } = options
    const signal = options.signal?.()
    const { promise, resolve, reject } = Promise.withResolvers<Picked>()
    const leave = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', gone)
      this.#leave(gatewayId, caller, waiter)
    }
    const fail = (cause: unknown) => {
      leave()
      reject(cause)
    }
    const attempt = () => {
      try {
        const picked = pick()
        if (!picked) return false
        leave()
        resolve(this.#take(picked))
      } catch (cause) {
        fail(cause)
      }
      return true
    }
    const gone = () => {
      fail(Fault.from(signal?.reason))
      this.wake(gatewayId)
    }
    const waiter: Waiter = { kind, attempt }
    const timer = setTimeout(() => {
      if (!attempt()) fail(full())
    }, timeoutMs)
    signal?.addEventListener('abort', gone, { once: true })
    const others = this.#enter(gatewayId, caller, waiter)
    // Behind those that wait for other nodes there may be a place for this one.
    if (others) this.wake(gatewayId)
    return promise
  }

  /** True when others were waiting already. */
  #enter(gatewayId: GatewayId, caller: string, waiter: Waiter): boolean {
    const known = this.#queues.get(gatewayId)
    const queue = known ?? { callers: new Map(), size: 0, looking: setInterval(() => this.wake(gatewayId), LOOK_MS).unref() }
    this.#queues.set(gatewayId, queue)
    const waiters = queue.callers.get(caller)
    if (waiters) waiters.add(waiter)
    else queue.callers.set(caller, new Set([waiter]))
    queue.size += 1
    return known !== undefined
  }

  #leave(gatewayId: GatewayId, caller: string, waiter: Waiter): void {
    const queue = this.#queues.get(gatewayId)
    const waiters = queue?.callers.get(caller)
    if (!queue || !waiters?.delete(waiter)) return
    queue.size -= 1
    if (waiters.size === 0) queue.callers.delete(caller)
    if (queue.size > 0) return
    clearInterval(queue.looking)
    this.#queues.delete(gatewayId)
  }
}

const atLimit = () => new Fault('GATEWAY_AT_LIMIT')

/** The first of a caller's queries that finds a place. */
function serveOne(waiters: ReadonlySet<Waiter>, stuck: Set<string>): boolean {
  for (const waiter of waiters) {
    if (stuck.has(waiter.kind)) continue
    if (waiter.attempt()) return true
    stuck.add(waiter.kind)
  }
  return false
}
