import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { Rounds } from '@postern/base/rounds.ts'
import type { NodeDirectory } from './node-directory.ts'
import type { NodeRepository } from './node-repository.ts'
import type { NodeService } from './node-service.ts'

const EACH_MS = 3_000

export interface NodeExpiryParts {
  readonly nodes: NodeDirectory
  readonly service: NodeService
  readonly repository: NodeRepository
  readonly clock: Clock
  readonly log: Log
}

/** Deletes nodes that have been offline for longer than `nodeExpirySeconds`, where that is set. */
export class NodeExpiry implements Component {
  readonly name = 'node-expiry'
  readonly #parts: NodeExpiryParts
  readonly #rounds: Rounds

  constructor(parts: NodeExpiryParts) {
    this.#parts = parts
    this.#rounds = new Rounds({
      everyMs: EACH_MS,
      clock: parts.clock,
      round: () => this.sweep(),
      failed: (cause) => parts.log.warn({ err: cause }, 'nodes not looked through for expiry'),
    })
  }

  async start(): Promise<void> {
    this.#rounds.start()
  }

  async stop(): Promise<void> {
    await this.#rounds.stop()
  }

  /** One round; returns the names of what was deleted. */
  async sweep(): Promise<readonly string[]> {
    const { nodes, service, repository, log } = this.#parts
    const limits = nodes
      .gateways()
      .flatMap(({ id }) => nodes.nodesOf(id))
      .filter((node) => node.settings.nodeExpirySeconds > 0 && !node.alive())
      .map(({ id, settings }) => ({ id, seconds: settings.nodeExpirySeconds }))
    if (limits.length === 0) return []
    const names: string[] = []
    for (const id of await repository.expired(limits)) {
      const node = nodes.get(id)
      if (!node) continue
      await service.delete(node, { who: 'service', ip: null }, 'node.expire')
      log.info({ node: `${node.gateway}/${node.name}` }, 'node expired')
      names.push(node.name)
    }
    return names
  }
}
