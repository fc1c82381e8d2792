import type { GatewayId } from '@postern/protocol/ids.ts'

/** Wakes the pulls that are held open for a gateway when one of its tasks may be ready. Only wakes: who is woken looks into the database. */
export class TaskSignal {
  readonly #waiting = new Map<GatewayId, Set<() => void>>()
  readonly #listeners = new Set<(gatewayId: GatewayId) => void>()

  wake(gatewayId: GatewayId): void {
    this.wakeHere(gatewayId)
    for (const listener of this.#listeners) listener(gatewayId)
  }

  /** Told of each wake that began here: pulls may be held open by another replica. */
  onWake(listener: (gatewayId: GatewayId) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Only the pulls of this replica. */
  wakeHere(gatewayId: GatewayId): void {
    const waiting = this.#waiting.get(gatewayId)
    if (!waiting) return
    this.#waiting.delete(gatewayId)
    for (const wake of waiting) wake()
  }

  /** Register before looking, wait after: a wake in between is not lost. */
  arm(gatewayId: GatewayId): { readonly woken: Promise<void>; disarm(): void } {
    const { promise, resolve } = Promise.withResolvers<void>()
    const waiting = this.#waiting.get(gatewayId) ?? new Set()
    this.#waiting.set(gatewayId, waiting)
    waiting.add(resolve)
    return {
      woken: promise,
      disarm: () => {
        waiting.delete(resolve)
        if (waiting.size === 0 && this.#waiting.get(gatewayId) === waiting) this.#waiting.delete(gatewayId)
      },
    }
  }
}
