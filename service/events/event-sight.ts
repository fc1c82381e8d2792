import type { Event } from '@postern/protocol/api/events.ts'
import type { GatewayId, RunId, StoreId } from '@postern/protocol/ids.ts'
import type { Caller } from '../rights/caller.ts'
import { maySeeRun, type RunEnds } from '../runs/run-access.ts'

export interface EventSightParts {
  readonly gateway: (name: string) => { readonly id: GatewayId } | undefined
  /** Fails with STORE_UNKNOWN. */
  readonly store: (name: string) => Placed | Promise<Placed>
  /** Undefined where there is no such run. */
  readonly run: (id: RunId) => Promise<RunEnds | undefined>
}

interface Placed {
  readonly id: StoreId
  readonly gatewayId: GatewayId
}

/** The ends of a run stay as they are, so they are read once. */
const MOST_RUNS = 10_000

/** Which events somebody may hear of: those of what he may see. */
export class EventSight {
  readonly #parts: EventSightParts
  readonly #runs = new Map<RunId, Promise<RunEnds | undefined>>()

  constructor(parts: EventSightParts) {
    this.#parts = parts
  }

  /** Synchronous for those who may see all, and for nodes. */
  sees(caller: Caller, event: Event): boolean | Promise<boolean> {
    switch (event.type) {
      case 'node':
        return caller.may('nodes:read', { gateway: this.#parts.gateway(event.gateway)?.id })
      case 'query':
        return caller.may('queries:read') || this.#onStore(caller, event.store)
      case 'run':
      case 'task':
        return caller.may('runs:read') || this.#onRun(caller, event.run)
      default:
        return event satisfies never
    }
  }

  async #onStore(caller: Caller, name: string): Promise<boolean> {
    const store = await Promise.resolve(this.#parts.store(name)).catch(() => undefined)
    return store !== undefined && caller.may('queries:read', { store: store.id, gateway: store.gatewayId })
  }

  async #onRun(caller: Caller, id: RunId): Promise<boolean> {
    let ends = this.#runs.get(id)
    if (!ends) {
      if (this.#runs.size >= MOST_RUNS) this.#runs.clear()
      ends = this.#parts.run(id)
      this.#runs.set(id, ends)
      ends.catch(() => this.#runs.delete(id))
    }
    const run = await ends.catch(() => undefined)
    return run !== undefined && maySeeRun(caller, run)
  }
}
