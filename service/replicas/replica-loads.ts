import type { Clock } from '@postern/base/clock.ts'
import type { NodeId, ReplicaId } from '@postern/protocol/ids.ts'
import type { ReplicaNews } from './replica-news.ts'

/** Of what begins and ends within this time the others hear once. */
const GATHER_MS = 5
/** Nodes of one line. */
const MOST_COUNTS = 1_000

type Tell = (news: ReplicaNews) => void

/** What runs on each node by way of which replica: limits of nodes hold for all replicas together. */
export class ReplicaLoads {
  readonly #clock: Clock
  readonly #here = new Map<NodeId, number>()
  readonly #elsewhere = new Map<ReplicaId, Map<NodeId, number>>()
  readonly #followers = new Set<Tell>()
  readonly #changed = new Set<NodeId>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** On the path of each query: nothing is made here, and without other replicas nothing is told. */
  readonly counted = (nodeId: NodeId, running: number): void => {
    if (running > 0) this.#here.set(nodeId, running)
    else this.#here.delete(nodeId)
    if (this.#followers.size === 0) return
    if (this.#changed.size === 0) void this.#clock.sleep(GATHER_MS).then(() => this.#flush())
    this.#changed.add(nodeId)
  }

  /** By way of all other replicas that we hear. */
  readonly elsewhere = (nodeId: NodeId): number => {
    let total = 0
    for (const loads of this.#elsewhere.values()) total += loads.get(nodeId) ?? 0
    return total
  }

  /** First what runs, then what changes. Returns how to stop. */
  follow(tell: Tell): () => void {
    this.#tell([tell], [...this.#here.keys()])
    this.#followers.add(tell)
    return () => void this.#followers.delete(tell)
  }

  heard(replica: ReplicaId, { counts }: Extract<ReplicaNews, { type: 'load' }>): void {
    const loads = this.#elsewhere.get(replica) ?? new Map<NodeId, number>()
    this.#elsewhere.set(replica, loads)
    for (const [nodeId, running] of counts) {
      if (running > 0) loads.set(nodeId, running)
      else loads.delete(nodeId)
    }
  }

  /** What it had begun may still run; but nobody would tell us when it ends. */
  lost(replica: ReplicaId): void {
    this.#elsewhere.delete(replica)
  }

  #flush(): void {
    const changed = [...this.#changed]
    this.#changed.clear()
    this.#tell(this.#followers, changed)
  }

  #tell(to: Iterable<Tell>, nodes: readonly NodeId[]): void {
    for (let from = 0; from < nodes.length; from += MOST_COUNTS) {
      const counts = nodes.slice(from, from + MOST_COUNTS).map((id): [NodeId, number] => [id, this.#here.get(id) ?? 0])
      for (const tell of to) tell({ type: 'load', counts })
    }
  }
}
