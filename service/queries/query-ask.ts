import type { Fault } from '@postern/protocol/fault.ts'
import type { NodeId } from '@postern/protocol/ids.ts'
import { NODE_PATHS, type QueryOrder as SentOrder, TRUNK_BYTES } from '@postern/protocol/link.ts'
import type { LinkRegistry } from '../links/link-registry.ts'
import { type Asking, AttemptFailed, follow, type Receiver } from './query-attempt.ts'
import type { QueryTrunk, TrunkAsking } from './query-trunk.ts'
import type { QueryTrunks } from './query-trunks.ts'

/** As it is sent: the values of parameters are passed on as the caller's schema took them. */
export type QueryOrder = Readonly<Omit<SentOrder, 'params' | 'store' | 'maxRows'>> & {
  readonly params: readonly unknown[]
  readonly store: Readonly<SentOrder['store']>
  readonly maxRows: number | undefined
}

export interface AskParts {
  readonly links: Pick<LinkRegistry, 'open'>
  readonly trunks: QueryTrunks
}

/** Asks one node: by the trunk where the answer is likely to be small, else by a stream of its own. Fails with NODE_OFFLINE. */
export function askNode(parts: AskParts, nodeId: NodeId, order: QueryOrder, receiver: Receiver): Asking {
  const { links, trunks } = parts
  const { store, sql, format } = order
  const text = JSON.stringify(order)
  const small = text.length <= TRUNK_BYTES && (format === 'json' || format === 'ndjson')
  const trunk = trunks.trunkFor(nodeId, { store: store.id, sql, small })
  return trunk ? new OnTrunk(parts, nodeId, order, receiver).ask(trunk, text) : follow(links.open(nodeId, NODE_PATHS.query, text), receiver)
}

/** A query on a trunk. Whose answer is set apart is fetched by a stream of its own. */
class OnTrunk implements Asking {
  readonly #parts: AskParts
  readonly #nodeId: NodeId
  readonly #order: QueryOrder
  readonly #receiver: Receiver
  #asking: TrunkAsking | undefined
  #rest: Asking | undefined
  /** Cancelled, or it has failed: its two ways may break one after the other. */
  #over = false

  constructor(parts: AskParts, nodeId: NodeId, order: QueryOrder, receiver: Receiver) {
    this.#parts = parts
    this.#nodeId = nodeId
    this.#order = order
    this.#receiver = receiver
  }

  ask(trunk: QueryTrunk, text: string): Asking {
    this.#asking = trunk.ask(text, {
      all: (bytes, rows) => this.#receiver.all(bytes, rows),
      apart: () => this.#apart(),
      failed: (failure) => this.#failed(failure),
    })
    return this
  }

  cancel(): void {
    this.#over = true
    this.#asking?.cancel()
    this.#rest?.cancel()
  }

  resume(): void {
    this.#rest?.resume()
  }

  #apart(): void {
    const { links, trunks } = this.#parts
    const { store, sql, query } = this.#order
    if (this.#over || this.#rest) return
    trunks.isLarge(store.id, sql)
    try {
      const stream = links.open(this.#nodeId, NODE_PATHS.queryRest, JSON.stringify({ query }))
      // From here on it is cancelled, and breaks, by its own stream.
      stream.once('response', () => this.#asking?.taken())
      this.#rest = follow(stream, {
        data: (chunk) => this.#receiver.data(chunk),
        all: (bytes, rows) => this.#receiver.all(bytes, rows),
        whole: (rows) => this.#receiver.whole(rows),
        failed: (failure) => this.#failed(failure),
      })
    } catch (cause) {
      this.#failed(new AttemptFailed(cause as Fault, false))
    }
  }

  #failed(failure: AttemptFailed): void {
    if (this.#over) return
    this.#over = true
    this.#receiver.failed(failure)
  }
}
