import { Background } from '@postern/base/background.ts'
import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { NodeId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import type { Beat, BeatResponse, Peer } from '@postern/protocol/node-api.ts'
import type { BeatListener } from './beat-listener.ts'
import { leaseMove } from './dispatcher-choice.ts'
import type { DispatcherLeases, Lease } from './dispatcher-leases.ts'
import type { NodeDirectory } from './node-directory.ts'
import type { NodeFacts } from './node-facts.ts'
import type { NodeRepository } from './node-repository.ts'

/** A beat is kept in the database at most so often; the memory has each. */
const KEEP_MS = 900

export interface NodeBeatsParts {
  readonly nodes: NodeDirectory
  readonly repository: NodeRepository
  readonly leases: DispatcherLeases
  readonly listener: BeatListener
  /** How many of us a node can be linked to. */
  readonly replicas?: () => number
  readonly clock: Clock
  readonly log: Log
}

/** Hears what nodes say each second, and answers with what they must know. */
export class NodeBeats implements Component {
  readonly name = 'node-beats'
  readonly #parts: NodeBeatsParts
  readonly #keptAt = new Map<NodeId, number>()
  readonly #background: Background
  #stopListening: (() => void) | undefined

  constructor(parts: NodeBeatsParts) {
    this.#parts = parts
    this.#background = new Background((cause) => parts.log.warn({ err: cause }, 'lease not freed; it runs out by itself'))
  }

  /** Link loss frees the dispatcher's lease at once. */
  async start(): Promise<void> {
    const { nodes } = this.#parts
    this.#stopListening ??= nodes.onLinkDown((nodeId) => {
      const node = nodes.get(nodeId)
      if (node?.isDispatcher) this.#background.run(() => this.#free(node))
    })
  }

  async stop(): Promise<void> {
    this.#stopListening?.()
    await this.#background.idle()
  }

  async beat(nodeId: NodeId, beat: Beat): Promise<BeatResponse> {
    const { nodes, listener } = this.#parts
    nodes.beat(nodeId, beat)
    const node = this.#known(nodeId)
    const [lease, said] = await Promise.all([this.#lease(node), listener.onBeat(nodeId, beat), this.#keep(nodeId, beat)])
    const mine = lease.node === nodeId
    return {
      name: node.name,
      settings: node.settings,
      settingsTag: node.settingsTag,
      jobLimit: node.jobLimit,
      queryLimit: node.queryLimit,
      peers: nodes
        .nodesOf(node.gatewayId)
        .filter(({ id }) => id !== nodeId)
        .map(peerOf),
      gatewayPublicKey: nodes.gateway(node.gatewayId)?.publicKey ?? null,
      dispatcher: { node: lease.node, epoch: lease.epoch, mine, leaseMs: mine ? LIMITS.leaseMs : 0 },
      replicas: this.#parts.replicas?.() ?? 1,
      ...said,
    }
  }

  /** The node stops of its own will: nobody need wait until it is silent. */
  async goodbye(nodeId: NodeId): Promise<void> {
    const { nodes, repository } = this.#parts
    const node = this.#known(nodeId)
    nodes.goodbye(nodeId)
    this.#keptAt.delete(nodeId)
    await repository.keepGoodbye(nodeId)
    await this.#free(node)
  }

  #known(nodeId: NodeId): NodeFacts {
    const node = this.#parts.nodes.get(nodeId)
    if (!node) throw new Fault('NODE_DELETED')
    return node
  }

  async #keep(nodeId: NodeId, beat: Beat): Promise<void> {
    const { repository, nodes, clock } = this.#parts
    const now = clock.monotonic()
    if (now - (this.#keptAt.get(nodeId) ?? Number.NEGATIVE_INFINITY) < KEEP_MS) return
    this.#keptAt.set(nodeId, now)
    if (await repository.keepBeat(nodeId, beat)) return
    // Deleted by another replica.
    this.#keptAt.delete(nodeId)
    nodes.dropNode(nodeId)
    throw new Fault('NODE_DELETED')
  }

  async #lease(node: NodeFacts): Promise<Lease> {
    const { nodes, leases } = this.#parts
    const contenders = nodes.nodesOf(node.gatewayId).map((other) => ({
      id: other.id,
      isPrimary: other.isPrimary,
      eligible: other.alive() && other.enabled && !other.draining,
      linked: other.link !== null,
      linkAgeMs: other.linkAgeMs(),
    }))
    const holder = nodes.dispatcherOf(node.gatewayId).node
    const move = leaseMove(node.id, holder, contenders)
    if (move === 'release') await leases.release(node.gatewayId, node.id)
    const taken = move === 'take' ? await leases.take(node.gatewayId, node.id) : undefined
    const lease = taken ?? (await leases.current(node.gatewayId))
    nodes.lease(node.gatewayId, lease.node, lease.epoch, lease.leftMs)
    return lease
  }

  async #free(node: NodeFacts): Promise<void> {
    const { nodes, leases } = this.#parts
    if (!(await leases.release(node.gatewayId, node.id))) return
    const { epoch } = await leases.current(node.gatewayId)
    nodes.lease(node.gatewayId, null, epoch, 0)
  }
}

function peerOf(node: NodeFacts): Peer {
  const online = node.alive()
  return {
    id: node.id,
    name: node.name,
    channelAddress: node.beat?.channel?.address ?? null,
    online,
    acceptsWork: online && node.enabled && !node.draining,
    hasGatewayKey: node.beat?.hasGatewayKey ?? false,
    runningJobs: node.beat?.running.length ?? 0,
    jobLimit: node.jobLimit,
    cpuPercent: node.beat?.cpuPercent ?? 0,
  }
}
