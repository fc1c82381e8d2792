import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { Rounds } from '@postern/base/rounds.ts'
import type { FigureColumns, NodeHistory } from '@postern/protocol/api/node-history.ts'
import type { NodeId } from '@postern/protocol/ids.ts'
import type { NodeDirectory } from './node-directory.ts'
import type { NodeFacts } from './node-facts.ts'

const EVERY_MS = 5_000
/** An hour. */
const SAMPLES = 720
/** 17 kB each: 34 MB at most. The nodes beyond have no history until one of these is deleted. */
const MOST_NODES = 2_000

type FieldName = keyof FigureColumns
/** In their order within a sample, and to how many decimals they are told. */
const FIELDS: readonly (readonly [FieldName, number])[] = [
  ['cpuPercent', 1],
  ['availableMemoryBytes', 0],
  ['networkInBytesPerSecond', 0],
  ['networkOutBytesPerSecond', 0],
  ['runningJobs', 0],
  ['runningQueries', 0],
]

interface Ring {
  /** The first round that it took part in. */
  readonly since: number
  /** Round by round, field by field; NaN while the node was away. */
  readonly values: Float32Array
}

export interface NodeHistoriesParts {
  readonly nodes: Pick<NodeDirectory, 'gateways' | 'nodesOf'>
  readonly clock: Clock
  readonly log: Log
}

/** The last hour of each node's figures, in memory: every replica hears all beats and keeps its own; a restart begins anew. */
export class NodeHistories implements Component {
  readonly name = 'node-histories'
  readonly #parts: NodeHistoriesParts
  readonly #sampling: Rounds
  readonly #at = new Float64Array(SAMPLES)
  readonly #rings = new Map<NodeId, Ring>()
  #rounds = 0

  constructor(parts: NodeHistoriesParts) {
    this.#parts = parts
    this.#sampling = new Rounds({
      everyMs: EVERY_MS,
      clock: parts.clock,
      round: () => this.sample(),
      failed: (cause) => parts.log.warn({ err: cause }, 'figures of nodes not kept'),
    })
  }

  async start(): Promise<void> {
    this.sample()
    this.#sampling.start()
  }

  async stop(): Promise<void> {
    await this.#sampling.stop()
  }

  /** One sample of every node. */
  sample(): void {
    const { nodes, clock } = this.#parts
    const round = this.#rounds
    this.#at[round % SAMPLES] = clock.now()
    const here = new Set<NodeId>()
    for (const { id: gateway } of nodes.gateways())
      for (const node of nodes.nodesOf(gateway)) {
        here.add(node.id)
        this.#keep(node, round)
      }
    for (const id of this.#rings.keys()) if (!here.has(id)) this.#rings.delete(id)
    this.#rounds += 1
  }

  /** Empty for a node that has just joined. */
  of(id: NodeId): NodeHistory {
    const slots = this.#slotsOf(id, SAMPLES)
    return { everyMs: EVERY_MS, at: slots.map((slot) => this.#at[slot] ?? 0), ...this.#columnsOf(id, slots) }
  }

  /** The newest samples, so many at most. */
  newestOf(id: NodeId, most: number): FigureColumns {
    return this.#columnsOf(id, this.#slotsOf(id, most))
  }

  get everyMs(): number {
    return EVERY_MS
  }

  /** Where the newest samples of a node lie, oldest first. */
  #slotsOf(id: NodeId, most: number): readonly number[] {
    const since = this.#rings.get(id)?.since ?? this.#rounds
    const from = Math.max(since, this.#rounds - Math.min(most, SAMPLES))
    return Array.from({ length: this.#rounds - from }, (_, index) => (from + index) % SAMPLES)
  }

  #columnsOf(id: NodeId, slots: readonly number[]): FigureColumns {
    const values = this.#rings.get(id)?.values
    const column = (field: FieldName) => {
      const place = FIELDS.findIndex(([name]) => name === field)
      const digits = FIELDS[place]?.[1] ?? 0
      return slots.map((slot) => told(values?.[slot * FIELDS.length + place] ?? Number.NaN, digits))
    }
    return {
      cpuPercent: column('cpuPercent'),
      availableMemoryBytes: column('availableMemoryBytes'),
      networkInBytesPerSecond: column('networkInBytesPerSecond'),
      networkOutBytesPerSecond: column('networkOutBytesPerSecond'),
      runningJobs: column('runningJobs'),
      runningQueries: column('runningQueries'),
    }
  }

  #keep(node: NodeFacts, round: number): void {
    let ring = this.#rings.get(node.id)
    if (!ring) {
      if (this.#rings.size >= MOST_NODES) return
      ring = { since: round, values: new Float32Array(SAMPLES * FIELDS.length) }
      this.#rings.set(node.id, ring)
    }
    ring.values.set(figuresOf(node), (round % SAMPLES) * FIELDS.length)
  }
}

const AWAY = FIELDS.map(() => Number.NaN)

/** In the order of FIELDS. */
function figuresOf(node: NodeFacts): readonly number[] {
  const { beat } = node
  if (!beat || !node.alive()) return AWAY
  const { cpuPercent, availableMemoryBytes, networkInBytesPerSecond, networkOutBytesPerSecond, running, runningQueries } = beat
  return [cpuPercent, availableMemoryBytes, networkInBytesPerSecond, networkOutBytesPerSecond, running.length, runningQueries]
}

const told = (value: number, digits: number): number | null => (Number.isNaN(value) ? null : Number(value.toFixed(digits)))
