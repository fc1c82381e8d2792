import { Fault } from '@postern/protocol/fault.ts'
import type { GatewayId, NodeId } from '@postern/protocol/ids.ts'

/** The most queries that wait for one gateway; more fail at once. */
const QUEUE_LENGTH = 1_000

interface Waiter {
  /** True when it need not wait any more: it was admitted, or it failed. */
  readonly attempt: () => boolean
}

export interface AdmitOptions<Picked> {
  readonly gatewayId: GatewayId
  /** The node to take, or undefined while all are at their limits. What it throws ends the wait. */
  readonly pick: () => Picked | undefined
  /** 0: not at all. */
  readonly timeoutMs: number
  /** Asked for only where there is a wait: a signal costs more than the rest of this. */
  readonly signal?: () => AbortSignal
}

/**
 * How many queries run on each node, and who waits when all nodes of a gateway are at their limits: first come, first
 * served, for a bounded time in a bounded queue. Counts what went through this replica.
 */
export class Admission {
  readonly #running = new Map<NodeId, number>()
  readonly #queues = new Map<GatewayId, Set<Waiter>>()

  running(nodeId: NodeId): number {
    return this.#running.get(nodeId) ?? 0
  }

  waiting(gatewayId: GatewayId): number {
    return this.#queues.get(gatewayId)?.size ?? 0
  }

  /** Takes a place on the picked node; give it back with `release`. Answers at once, without a promise, where no wait is needed. */
  admit<Picked extends { readonly id: NodeId }>(options: AdmitOptions<Picked>): Picked | Promise<Picked> {
    // Who comes now stands behind those who wait already.
    const picked = this.waiting(options.gatewayId) === 0 ? options.pick() : undefined
    if (picked) return this.#take(picked)
    if (options.timeoutMs === 0 || this.waiting(options.gatewayId) >= QUEUE_LENGTH) throw new Fault('GATEWAY_AT_LIMIT')
    return this.#wait(options)
  }

  release(gatewayId: GatewayId, nodeId: NodeId): void {
    const left = this.running(nodeId) - 1
    if (left > 0) this.#running.set(nodeId, left)
    else this.#running.delete(nodeId)
    this.wake(gatewayId)
  }

  /** Something changed for this gateway: a place is free, a node came or went, a limit was raised. */
  wake(gatewayId: GatewayId): void {
    const queue = this.#queues.get(gatewayId)
    if (!queue) return
    for (const waiter of queue) if (!waiter.attempt()) return
  }

  #take<Picked extends { readonly id: NodeId }>(picked: Picked): Picked {
    this.#running.set(picked.id, this.running(picked.id) + 1)
    return picked
  }

  #wait<Picked extends { readonly id: NodeId }>({ gatewayId, pick, timeoutMs, ...options }: AdmitOptions<Picked>): Promise<Picked> {
    const signal = options.signal?.()
    return new Promise((resolve, reject) => {
      const queue = this.#queues.get(gatewayId) ?? new Set()
      this.#queues.set(gatewayId, queue)
      const leave = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', gone)
        queue.delete(waiter)
        if (queue.size === 0) this.#queues.delete(gatewayId)
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
      const waiter: Waiter = { attempt }
      const timer = setTimeout(() => {
        if (!attempt()) fail(new Fault('GATEWAY_AT_LIMIT'))
      }, timeoutMs)
      signal?.addEventListener('abort', gone, { once: true })
      queue.add(waiter)
    })
  }
}
