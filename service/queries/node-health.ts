import type { Clock } from '@postern/base/clock.ts'
import type { NodeId } from '@postern/protocol/ids.ts'

/** How fast an old answer stops counting against a new one. */
const LATENCY_HALF_LIFE_MS = 3_000
/** Answers that a mean is made of at most: of many in a moment the last ones count. */
const MOST_ANSWERS = 10
/** What is left of an answer's weight when it is worth nothing any more: ten answers are forgotten after 13 s. */
const LEAST_WEIGHT = 0.5
/** How fast a failure is forgiven. */
const FAILURE_HALF_LIFE_MS = 10_000
/** A link that breaks fails all that is on it: that is one failure, not as many as there were queries. */
const MOST_FAILURES = 3

interface Seen {
  /** Mean of ln(1 + ms): one long query among short ones must not make a node look slow. */
  logLatency: number
  weight: number
  latencyAt: number
  failures: number
  failedAt: number
}

/** How nodes have done lately, as least-loaded asks: what is long ago fades, so that a node that was slow is tried again. */
export class NodeHealth {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #seen = new Map<NodeId, Seen>()

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** So long after it was asked, the first byte of an answer came. */
  answered(nodeId: NodeId, ms: number): void {
    const seen = this.#of(nodeId)
    const now = this.#clock.monotonic()
    const old = seen.weight * faded(now - seen.latencyAt, LATENCY_HALF_LIFE_MS)
    const value = Math.log1p(Math.max(0, ms))
    const before = Math.min(old, MOST_ANSWERS - 1)
    seen.logLatency = (seen.logLatency * before + value) / (before + 1)
    seen.weight = before + 1
    seen.latencyAt = now
  }

  /** The node could not do it; the store's own refusals are none of its faults. */
  failed(nodeId: NodeId): void {
    const seen = this.#of(nodeId)
    const now = this.#clock.monotonic()
    seen.failures = Math.min(MOST_FAILURES, seen.failures * faded(now - seen.failedAt, FAILURE_HALF_LIFE_MS) + 1)
    seen.failedAt = now
  }

  /** Undefined when nothing is known, or nothing that is still worth something. */
  latencyMs(nodeId: NodeId): number | undefined {
    const seen = this.#seen.get(nodeId)
    if (!seen || seen.weight * faded(this.#clock.monotonic() - seen.latencyAt, LATENCY_HALF_LIFE_MS) < LEAST_WEIGHT) return undefined
    return Math.expm1(seen.logLatency)
  }

  /** Failures of late: 1 = one just now, 0.5 = one some seconds ago. */
  failures(nodeId: NodeId): number {
    const seen = this.#seen.get(nodeId)
    return seen && seen.failures > 0 ? seen.failures * faded(this.#clock.monotonic() - seen.failedAt, FAILURE_HALF_LIFE_MS) : 0
  }

  /** A node that was deleted. */
  forget(nodeId: NodeId): void {
    this.#seen.delete(nodeId)
  }

  #of(nodeId: NodeId): Seen {
    const known = this.#seen.get(nodeId)
    if (known) return known
    const seen = { logLatency: 0, weight: 0, latencyAt: 0, failures: 0, failedAt: 0 }
    this.#seen.set(nodeId, seen)
    return seen
  }
}

const faded = (ms: number, halfLifeMs: number): number => 2 ** (-ms / halfLifeMs)
