import type { Clock } from '@postern/base/clock.ts'
import type { NodeId, StoreId } from '@postern/protocol/ids.ts'
import { NODE_PATHS } from '@postern/protocol/link.ts'
import type { LinkRegistry } from '../links/link-registry.ts'
import { QueryTrunk } from './query-trunk.ts'

/** A node that knew of no trunks, or whose trunk ended, is asked again after so long; until then each query has a stream. */
const AGAIN_MS = 10_000
/** Statements that are remembered for their large answers, and how long a text may be for that. */
const MOST_LARGE = 1_000
const TEXT_CHARACTERS = 4_096

interface Entry {
  readonly trunk: QueryTrunk
  readonly at: number
  /** Over a link of this replica, not by way of another one. */
  readonly direct: boolean
}

export interface QueryTrunksParts {
  readonly links: Pick<LinkRegistry, 'openDuplex' | 'has'>
  readonly clock: Clock
}

/** What decides whether an order goes by the trunk. */
export interface TrunkOrder {
  readonly store: StoreId
  readonly sql: string
  /** JSON or lines of it: who asks for CSV or Arrow expects many rows. */
  readonly small: boolean
}

/** The trunks to the nodes, and which statements are not for them. */
export class QueryTrunks {
  readonly #parts: QueryTrunksParts
  readonly #trunks = new Map<NodeId, Entry>()
  readonly #large = new Set<string>()

  constructor(parts: QueryTrunksParts) {
    this.#parts = parts
  }

  /** The trunk to take, or undefined where the query gets a stream of its own. Opens one for those that come later. */
  trunkFor(nodeId: NodeId, { store, sql, small }: TrunkOrder): QueryTrunk | undefined {
    if (!small || (this.#large.size > 0 && this.#large.has(keyOf(store, sql)))) return undefined
    const { links, clock } = this.#parts
    const known = this.#trunks.get(nodeId)
    const direct = links.has(nodeId)
    if (known && known.direct === direct) {
      const { state } = known.trunk
      if (state === 'open') return known.trunk
      if (state === 'asking' || (known.trunk.refused && clock.monotonic() - known.at < AGAIN_MS)) return undefined
    } else known?.trunk.leave()
    this.#open(nodeId, direct)
    return undefined
  }

  /** Its next answer will be large too: it would only wait for a stream of its own. */
  isLarge(store: StoreId, sql: string): void {
    if (sql.length > TEXT_CHARACTERS) return
    const oldest = this.#large.size >= MOST_LARGE ? this.#large.values().next().value : undefined
    if (oldest !== undefined) this.#large.delete(oldest)
    this.#large.add(keyOf(store, sql))
  }

  isSmall(store: StoreId, sql: string): void {
    if (this.#large.size > 0) this.#large.delete(keyOf(store, sql))
  }

  #open(nodeId: NodeId, direct: boolean): void {
    const { links, clock } = this.#parts
    try {
      const trunk = new QueryTrunk(links.openDuplex(nodeId, NODE_PATHS.queryTrunk, {}))
      this.#trunks.set(nodeId, { trunk, at: clock.monotonic(), direct })
    } catch {
      // Without a link there is nothing to remember: the query will hear of it.
      this.#trunks.delete(nodeId)
    }
  }
}

const keyOf = (store: StoreId, sql: string): string => `${store} ${sql}`
