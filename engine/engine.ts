import type { Clock } from '@postern/base/clock.ts'
import type { Log } from '@postern/base/log.ts'
import type { Connector, Session } from '@postern/connectors/contract.ts'
import type { RunId } from '@postern/protocol/ids.ts'
import type { Counters, StoreRef, TaskOrder } from '@postern/protocol/node-api.ts'
import type { Outcome } from './outcome.ts'

/** A store's shared session and what its connector claims. The engine never disposes the session. */
export interface OpenStore {
  readonly connector: Pick<Connector, 'kind' | 'can'>
  readonly session: Session
}

export interface EngineParts {
  readonly clock: Clock
  readonly log: Log
  readonly open: (ref: StoreRef, signal: AbortSignal) => Promise<OpenStore>
}

/** Executes the tasks of copies over connectors. Knows nothing of links, HTTP or the service. */
export class Engine implements AsyncDisposable {
  readonly #parts: EngineParts

  constructor(parts: EngineParts) {
    this.#parts = parts
  }

  /** Runs one order to its outcome. Never rejects: what a store does, and an abort, become outcome `failed`. */
  async execute(order: TaskOrder, _onProgress: (counters: Counters) => void, signal: AbortSignal): Promise<Outcome> {
    await this.#parts.open(order.source, signal)
    return { outcome: 'cleaned' }
  }

  /** Runs whose exported snapshot this process holds: what the beat says. */
  snapshots(): readonly RunId[] {
    return []
  }

  /** The answer to a beat: of the runs that it `reported`, closes the snapshots of all but `keep`. One taken since stays. */
  async keepSnapshots(_keep: readonly RunId[], _reported: readonly RunId[]): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
