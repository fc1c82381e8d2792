import { Background } from '@postern/base/background.ts'
import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { GatewayId, NodeId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import type { Beat, BeatResponse, Peer } from '@postern/protocol/node-api.ts'
import { BeatKeeper } from './beat-keeper.ts'
import type { BeatListener, BeatWork } from './beat-listener.ts'
import { leaseMove } from './dispatcher-choice.ts'
import type { DispatcherLeases, Lease } from './dispatcher-leases.ts'
import { LeaseTakers } from './lease-takers.ts'
import type { NodeDirectory } from './node-directory.ts'
import type { NodeFacts } from './node-facts.ts'
import type { NodeRepository } from './node-repository.ts'
import { PeerLists, peerOf } from './peer-lists.ts'

/** What a database that does not answer may cost a beat; then it is answered by what is known. Well below what a node waits for an answer by its link. */
const LEASE_WAIT_MS = 500
/** A lease that was renewed so lately need not be again. */
const RENEWED_MS = LIMITS.beatMs - 100

/** What there is to say to a beat. */
export interface Heard {
  readonly node: NodeFacts
  readonly said: Omit<BeatResponse, 'peers' | 'stop' | 'keepSnapshots' | 'dispatcher'>
  /** As all see them: without their load. The same object until something changes. */
  readonly peers: readonly Peer[]
  readonly lease: BeatResponse['dispatcher']
  readonly stop: BeatResponse['stop']
  readonly keepSnapshots: BeatResponse['keepSnapshots']
}

export interface NodeBeatsParts {
  readonly nodes: NodeDirectory
  readonly repository: NodeRepository
  readonly leases: DispatcherLeases
  readonly listener: BeatListener
  /** How many of us a node can be linked to. */
  readonly replicas?: () => number
  /** All of them hear what we hear. */
  readonly heardByAll?: () => boolean
  readonly clock: Clock
  readonly log: Log
}

/** Hears what nodes say each second, and answers with what they must know. */
export class NodeBeats implements Component {
  readonly name = 'node-beats'
  readonly #parts: NodeBeatsParts
  readonly #keeper: BeatKeeper
  readonly #takers: LeaseTakers
  readonly #peers: PeerLists
  readonly #background: Background
  #stopListening: (() => void) | undefined

  constructor(parts: NodeBeatsParts) {
    this.#parts = parts
    const { nodes, repository, leases, heardByAll = () => true, clock, log } = parts
    this.#keeper = new BeatKeeper({ nodes, repository, heardByAll, clock, log })
    this.#takers = new LeaseTakers(leases, clock)
    this.#peers = new PeerLists((gatewayId) => nodes.nodesOf(gatewayId), clock)
    this.#background = new Background((cause) => parts.log.warn({ err: cause }, 'lease not freed; it runs out by itself'))
  }

  /** Link loss frees the dispatcher's lease at once. */
  async start(): Promise<void> {
    const { nodes } = this.#parts
    await this.#keeper.start()
    this.#stopListening ??= nodes.onLinkDown((nodeId) => {
      const node = nodes.get(nodeId)
      if (node?.isDispatcher) this.#background.run(() => this.#free(node))
    })
  }

  async stop(): Promise<void> {
    this.#stopListening?.()
    await this.#background.idle()
    await this.#keeper.stop()
  }

  /** For a beat that is a request: all that there is to say. */
  async beat(nodeId: NodeId, beat: Beat): Promise<BeatResponse> {
    const { said, lease, node, stop, keepSnapshots } = await this.hear(nodeId, beat)
    const peers = this.loadOf(node.gatewayId).filter(({ id }) => id !== nodeId)
    return { ...said, peers, dispatcher: lease, stop, keepSnapshots }
  }

  /** At once, without a promise, where nothing must be asked of the database. */
  hear(nodeId: NodeId, beat: Beat): Heard | Promise<Heard> {
    this.#parts.nodes.beat(nodeId, beat)
    const node = this.#known(nodeId)
    this.#keeper.keep(nodeId, beat)
    const lease = this.#lease(node)
    const work = this.#work(nodeId, beat)
    if (!(lease instanceof Promise) && !(work instanceof Promise)) return this.#heard(node, lease, work)
    return Promise.all([lease, work]).then(([held, asked]) => this.#heard(node, held, asked))
  }

  /** The peers, with how busy they are. */
  loadOf(gatewayId: GatewayId): Peer[] {
    return this.#parts.nodes.nodesOf(gatewayId).map(peerOf)
  }

  #heard(node: NodeFacts, lease: Lease, { stop, keepSnapshots }: BeatWork): Heard {
    const { nodes, replicas } = this.#parts
    const mine = lease.node === node.id
    const { name, settings, settingsTag, jobLimit, queryLimit, gatewayId } = node
    const gateway = nodes.gateway(gatewayId)
    const gatewayPublicKey = gateway?.publicKey ?? null
    const storesVersion = gateway?.storesVersion ?? 0
    return {
      node,
      said: { name, settings, settingsTag, jobLimit, queryLimit, gatewayPublicKey, storesVersion, replicas: replicas?.() ?? 1 },
      peers: this.#peers.of(gatewayId),
      lease: { node: lease.node, epoch: lease.epoch, mine, leaseMs: mine ? Math.floor(lease.leftMs) : 0 },
      stop,
      keepSnapshots,
    }
  }

  /** A database that is away stops nothing: what a node works on goes on, and is asked about with the next beat. */
  #work(nodeId: NodeId, beat: Beat): BeatWork | Promise<BeatWork> {
    const work = this.#parts.listener.onBeat(nodeId, beat)
    if (!(work instanceof Promise)) return work
    return work.catch((cause: unknown) => {
      this.#parts.log.debug({ err: cause }, 'what a node works on could not be looked at')
      return { stop: [], keepSnapshots: beat.snapshots }
    })
  }

  /** The node stops of its own will: nobody need wait until it is silent. */
  async goodbye(nodeId: NodeId): Promise<void> {
    const node = this.#known(nodeId)
    this.#parts.nodes.goodbye(nodeId)
    await this.#keeper.goodbye(nodeId)
    await this.#free(node)
  }

  #known(nodeId: NodeId): NodeFacts {
    const node = this.#parts.nodes.get(nodeId)
    if (!node) throw new Fault('NODE_DELETED')
    return node
  }

  /** No SQL but for who holds the lease or should: a worker is told what is known. */
  #lease(node: NodeFacts): Lease | Promise<Lease> {
    const { nodes } = this.#parts
    const held = nodes.dispatcherOf(node.gatewayId)
    if (held.node !== null && held.node !== node.id) return held
    const contenders = nodes.nodesOf(node.gatewayId).map((other) => ({
      id: other.id,
      isPrimary: other.isPrimary,
      eligible: other.alive() && other.enabled && !other.draining,
      linked: other.link !== null,
      linkAgeMs: other.linkAgeMs(),
    }))
    const move = leaseMove(node.id, held.node, contenders)
    if (move === 'wait' || (move === 'take' && held.leftMs > LIMITS.leaseMs - RENEWED_MS)) return held
    return this.#move(node, move)
  }

  async #move(node: NodeFacts, move: 'take' | 'release'): Promise<Lease> {
    const { nodes, clock, log } = this.#parts
    const moving = move === 'release' ? this.#release(node) : this.#take(node)
    const settled = moving.catch((cause) => log.debug({ err: cause }, 'a lease was not moved'))
    const over = new AbortController()
    await Promise.race([settled, clock.sleep(LEASE_WAIT_MS, over.signal).catch(() => undefined)])
    over.abort()
    return nodes.dispatcherOf(node.gatewayId)
  }

  async #take({ id, gatewayId }: NodeFacts): Promise<void> {
    const { nodes, leases, clock } = this.#parts
    const from = clock.monotonic()
    const lease = (await this.#takers.take(gatewayId, id)) ?? (await leases.current(gatewayId))
    // Counted from before it was granted, or we would believe in it for longer than the database does.
    nodes.lease(gatewayId, lease.node, lease.epoch, lease.leftMs - (clock.monotonic() - from))
  }

  async #release({ id, gatewayId }: NodeFacts): Promise<void> {
    const { nodes, leases } = this.#parts
    await leases.release(gatewayId, id)
    const { node, epoch, leftMs } = await leases.current(gatewayId)
    nodes.lease(gatewayId, node, epoch, leftMs)
  }

  async #free(node: NodeFacts): Promise<void> {
    const { nodes, leases } = this.#parts
    if (!(await leases.release(node.gatewayId, node.id))) return
    const { epoch } = await leases.current(node.gatewayId)
    nodes.lease(node.gatewayId, null, epoch, 0)
  }
}
