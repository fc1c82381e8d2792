import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { Rounds } from '@postern/base/rounds.ts'
import type { NodeDirectory } from './node-directory.ts'
import type { NodeFacts } from './node-facts.ts'
import type { NodeRepository } from './node-repository.ts'
import type { NodeService } from './node-service.ts'

const EACH_MS = 3_000
/**
 * Nodes that could not reach us have not been away: while the service was down, or this process was stopped, nobody could be heard. From its
 * end on they have as long as they may be away to come back, within these bounds: who has tried in vain for long dials again within 15 s.
 */
const GRACE_MS = { least: 30_000, most: 120_000 } as const
/** A round that comes so late: the process did not run in between. */
const PAUSED_MS = 4 * EACH_MS

export interface NodeExpiryParts {
  readonly nodes: Pick<NodeDirectory, 'gateways' | 'nodesOf' | 'get'>
  readonly service: Pick<NodeService, 'delete'>
  readonly repository: Pick<NodeRepository, 'expired'>
  readonly clock: Clock
  readonly log: Log
}

/** Deletes nodes that have been offline for longer than `nodeExpirySeconds`, where that is set. */
export class NodeExpiry implements Component {
  readonly name = 'node-expiry'
  readonly #parts: NodeExpiryParts
  readonly #rounds: Rounds
  /** Monotonic: nodes can be heard from then on. */
  #hearsSince: number
  #lastRound: number

  constructor(parts: NodeExpiryParts) {
    this.#parts = parts
    this.#hearsSince = this.#lastRound = parts.clock.monotonic()
    this.#rounds = new Rounds({
      everyMs: EACH_MS,
      clock: parts.clock,
      round: () => this.sweep(),
      failed: (cause) => parts.log.warn({ err: cause }, 'nodes not looked through for expiry'),
    })
  }

  async start(): Promise<void> {
    this.#hearsSince = this.#lastRound = this.#parts.clock.monotonic()
    this.#rounds.start()
  }

  async stop(): Promise<void> {
    await this.#rounds.stop()
  }

  /** One round; returns the names of what was deleted. */
  async sweep(): Promise<readonly string[]> {
    const { nodes, service, repository, log } = this.#parts
    const heardMs = this.#heardMs()
    const limits = nodes
      .gateways()
      .flatMap(({ id }) => nodes.nodesOf(id))
      .filter((node) => node.settings.nodeExpirySeconds > 0 && isAway(node))
      .filter((node) => heardMs >= graceMs(node))
      .map(({ id, settings }) => ({ id, seconds: settings.nodeExpirySeconds }))
    if (limits.length === 0) return []
    const names: string[] = []
    for (const id of await repository.expired(limits)) {
      const node = nodes.get(id)
      // It may have come back while the database was asked.
      if (!node || !isAway(node)) continue
      await service.delete(node, { who: 'service', ip: null }, 'node.expire')
      log.info({ node: `${node.gateway}/${node.name}` }, 'node expired')
      names.push(node.name)
    }
    return names
  }

  /** For how long nodes could be heard without a break. */
  #heardMs(): number {
    const now = this.#parts.clock.monotonic()
    if (now - this.#lastRound > PAUSED_MS) this.#hearsSince = now
    this.#lastRound = now
    return now - this.#hearsSince
  }
}

/** Whose link is up is there, whatever its beats. */
const isAway = (node: NodeFacts): boolean => !node.alive() && node.link === null

const graceMs = ({ settings }: NodeFacts): number => Math.max(GRACE_MS.least, Math.min(GRACE_MS.most, settings.nodeExpirySeconds * 1_000))
