import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { Rounds } from '@postern/base/rounds.ts'
import type { GatewayId, NodeId, ReplicaId } from '@postern/protocol/ids.ts'
import type { Beat } from '@postern/protocol/node-api.ts'
import { type DirectoryRead, DirectoryReader } from './directory-reader.ts'
import { GatewayMembers } from './gateway-members.ts'
import type { GatewayFacts, LinkTransport, NodeChange, NodeFacts } from './node-facts.ts'
import { type DirectoryNews, NodeLinks } from './node-links.ts'
import { factsOf, type Picture, saysOfItself, saysOfOthers } from './node-picture.ts'
import { NodeRecord } from './node-record.ts'
import type { DirectoryQuery, DirectoryRows, GatewayRow, NodeRow } from './node-repository.ts'
import { settingsOf } from './node-settings.ts'
import { nodeStatus } from './node-status.ts'

/**
 * How often statuses are derived anew, so that silence is noticed, and what other replicas wrote is read: they tell of it too, but a second
 * must do where they cannot.
 */
const LOOK_MS = 500

export interface NodeDirectoryParts {
  readonly rows: { load(query: DirectoryQuery): Promise<DirectoryRows> }
  readonly clock: Clock
  readonly log: Log
}

/** What this replica knows of gateways and nodes, in memory: the hot path of queries reads it without SQL. */
export class NodeDirectory implements Component {
  readonly name = 'node-directory'
  readonly #parts: NodeDirectoryParts
  readonly #gateways = new Map<GatewayId, GatewayFacts>()
  readonly #nodes = new Map<NodeId, NodeRecord>()
  readonly #members: GatewayMembers
  readonly #listeners = new Set<(change: NodeChange) => void>()
  readonly #linkListeners = new Set<(nodeId: NodeId) => void>()
  readonly #links = new NodeLinks()
  readonly #rounds: Rounds
  readonly #reader: DirectoryReader

  constructor(parts: NodeDirectoryParts) {
    this.#parts = parts
    this.#members = new GatewayMembers(parts.clock)
    this.#reader = new DirectoryReader({
      rows: parts.rows,
      clock: parts.clock,
      kept: {
        counts: () => ({ gateways: this.#gateways.size, nodes: this.#nodes.size }),
        silent: () => [...this.#nodes.values()].filter((node) => !node.alive()).map(({ id }) => id),
        isSilent: (id) => this.#nodes.get(id)?.alive() === false,
        take: (read) => this.#take(read),
      },
    })
    this.#rounds = new Rounds({
      everyMs: LOOK_MS,
      clock: parts.clock,
      round: () => {
        this.#sweepOld()
        return this.refresh()
      },
      failed: (cause) => parts.log.debug({ err: cause }, 'nodes not read again'),
    })
  }

  async start(): Promise<void> {
    await this.refresh()
    this.#rounds.start()
  }

  async stop(): Promise<void> {
    await this.#rounds.stop()
  }

  // ── reading ────────────────────────────────────────────────────────────────────────────────────

  /** In the gateway's order of preference. Empty for an unknown one. */
  nodesOf(gatewayId: GatewayId): readonly NodeFacts[] {
    return this.#members.of(gatewayId)
  }

  get(nodeId: NodeId): NodeFacts | undefined {
    return this.#nodes.get(nodeId)
  }

  gateway(id: GatewayId): GatewayFacts | undefined {
    return this.#gateways.get(id)
  }

  gatewayByName(name: string): GatewayFacts | undefined {
    return this.#gateways.values().find((gateway) => gateway.name === name)
  }

  gateways(): readonly GatewayFacts[] {
    return [...this.#gateways.values()]
  }

  /** Who dispatches, as last heard; the lease in the database decides. */
  dispatcherOf(gatewayId: GatewayId): { readonly node: NodeId | null; readonly epoch: number; readonly leftMs: number } {
    return this.#members.dispatcherOf(gatewayId)
  }

  /** Of the version that most nodes of the gateway run. */
  versionOf(gatewayId: GatewayId): string {
    return this.#picture(gatewayId).version
  }

  /** Told of each change of status, reasons, link or switch, and of deletions. Returns how to stop listening. */
  onChange(listener: (change: NodeChange) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Told of what was heard here and not in the database: for the other replicas. */
  onNews(listener: (news: DirectoryNews) => void): () => void {
    return this.#links.onNews(listener)
  }

  /** The links of this replica. */
  linksHere(): readonly DirectoryNews[] {
    return this.#links.here()
  }

  /** Told when a node's last link is lost, before anything else is. */
  onLinkDown(listener: (nodeId: NodeId) => void): () => void {
    this.#linkListeners.add(listener)
    return () => void this.#linkListeners.delete(listener)
  }

  // ── news ───────────────────────────────────────────────────────────────────────────────────────

  linkUp(nodeId: NodeId, transport: LinkTransport): void {
    this.#links.tell({ type: 'link', node: nodeId, transport })
    this.#linked(nodeId)
  }

  linkDown(nodeId: NodeId): void {
    this.#links.tell({ type: 'link', node: nodeId, transport: null })
    this.#linked(nodeId)
  }

  /** What another replica heard. */
  hear(replica: ReplicaId, news: DirectoryNews): void {
    if (news.type === 'beat') this.#heard(news.node, news.beat)
    else if (news.type === 'goodbye') this.#left(news.node)
    else if (news.type === 'link') {
      this.#links.heard(replica, news)
      this.#linked(news.node)
    }
  }

  /** What is linked there only is out of reach. */
  replicaDown(replica: ReplicaId): void {
    for (const node of this.#links.lost(replica)) this.#linked(node)
  }

  beat(nodeId: NodeId, beat: Beat): void {
    this.#heard(nodeId, beat)
    this.#links.tell({ type: 'beat', node: nodeId, beat })
  }

  goodbye(nodeId: NodeId): void {
    this.#left(nodeId)
    this.#links.tell({ type: 'goodbye', node: nodeId })
  }

  lease(gatewayId: GatewayId, node: NodeId | null, epoch: number, ms: number): void {
    this.#members.lease(gatewayId, { node, epoch, ms })
  }

  putGateway(row: GatewayRow): void {
    this.#wrote(row.id)
    this.#applyGateway(row)
    this.sweep()
  }

  /** A store of it was changed: its nodes hear of it with their next beats. */
  storesChanged(id: GatewayId, storesVersion: number): void {
    const gateway = this.#gateways.get(id)
    this.#wrote(id)
    if (gateway && gateway.storesVersion < storesVersion) this.#gateways.set(id, { ...gateway, storesVersion })
  }

  dropGateway(id: GatewayId): void {
    this.#wrote(id)
    this.#gateways.delete(id)
    for (const node of this.#members.of(id)) this.#forget(node)
    this.#members.arrange(this.#nodes.values())
  }

  putNode(row: NodeRow): void {
    this.#wrote(row.id)
    this.#applyNode(row)
    this.#members.arrange(this.#nodes.values())
    this.sweep()
  }

  dropNode(id: NodeId): void {
    this.#wrote(id)
    const node = this.#nodes.get(id)
    if (node) this.#forget(node)
    this.#members.arrange(this.#nodes.values())
    this.sweep()
  }

  /** Reads what is new from the database; what is newer in memory stays. */
  refresh(): Promise<void> {
    return this.#reader.refresh()
  }

  /** Derives each node's status and tells of what changed. */
  sweep(): void {
    for (const [gatewayId] of this.#members.entries()) this.#sweepGateway(gatewayId)
  }

  /** For what changes by nothing but the time: silence, and settings that are not taken over. */
  #sweepOld(): void {
    for (const [gatewayId, nodes] of this.#members.entries())
      if (!nodes.every((node) => node.alive() && node.settingsBehindMs() === 0)) this.#sweepGateway(gatewayId)
  }

  // ── inside ─────────────────────────────────────────────────────────────────────────────────────

  #take({ gateways, nodes, leases, isGone }: DirectoryRead): void {
    for (const row of gateways) this.#applyGateway(row)
    for (const row of nodes) this.#applyNode(row)
    if (isGone) {
      for (const id of this.#gateways.keys()) if (isGone(id)) this.#gateways.delete(id)
      for (const node of this.#nodes.values()) if (isGone(node.id)) this.#forget(node)
    }
    const changed = isGone !== undefined || gateways.length + nodes.length > 0
    if (changed) this.#members.arrange(this.#nodes.values())
    for (const { gatewayId, node, epoch, leftMs } of leases) this.lease(gatewayId, node, epoch, leftMs)
    if (changed) this.sweep()
  }

  /** Its links have changed, here or at another replica. */
  #linked(nodeId: NodeId): void {
    const node = this.#nodes.get(nodeId)
    const transport = this.#links.of(nodeId)
    node?.linked(transport, this.#links.isHere(nodeId))
    if (transport === null) for (const listener of this.#linkListeners) listener(nodeId)
    if (node) this.#derive(node)
  }

  #heard(nodeId: NodeId, beat: Beat): void {
    const node = this.#nodes.get(nodeId)
    if (!node) return
    const before = node.alive() ? node.beat : null
    const { status } = node
    node.heard(beat, 0)
    // With 5,000 nodes there are 5,000 beats a second: the others are looked at only when this one says something new about them.
    if (!before || !saysOfOthers(before, beat)) this.#sweepGateway(node.gatewayId)
    else if (status === 'draining' || status === 'upgrading' || !saysOfItself(before, beat) || node.settingsBehindMs() > 0)
      this.#derive(node)
  }

  #left(nodeId: NodeId): void {
    const node = this.#nodes.get(nodeId)
    node?.goodbye()
    if (node) this.#sweepGateway(node.gatewayId)
  }

  #wrote(id: GatewayId | NodeId): void {
    this.#reader.wrote(id)
    this.#links.tell({ type: 'changed' })
  }

  #sweepGateway(gatewayId: GatewayId): void {
    this.#members.forgetPicture(gatewayId)
    for (const node of this.#members.of(gatewayId)) this.#derive(node)
  }

  #derive(node: NodeRecord): void {
    if (node.become(nodeStatus(factsOf(node, this.#picture(node.gatewayId))))) this.#tell({ type: 'changed', node })
  }

  /** As of the last sweep of the gateway. */
  #picture(gatewayId: GatewayId): Picture {
    return this.#members.picture(gatewayId, this.#gateways.get(gatewayId)?.publicKey != null)
  }

  #applyGateway(row: GatewayRow): void {
    const settings = settingsOf(row.settings)
    const gateway: GatewayFacts = {
      id: row.id,
      name: row.name,
      settings,
      changed: row.settings,
      publicKey: row.publicKey,
      recoveryKeyAt: row.recoveryKeyAt,
      // What was read before a change must not take it back.
      storesVersion: Math.max(row.storesVersion, this.#gateways.get(row.id)?.storesVersion ?? 0),
      createdAt: row.createdAt,
    }
    this.#gateways.set(row.id, gateway)
    for (const node of this.#members.of(row.id)) node.configure(gateway)
  }

  #applyNode(row: NodeRow): void {
    const gateway = this.#gateways.get(row.gatewayId)
    if (!gateway) return
    const known = this.#nodes.get(row.id)
    const node = known ?? new NodeRecord(row, this.#parts.clock)
    this.#nodes.set(row.id, node)
    if (!known) node.linked(this.#links.of(row.id), this.#links.isHere(row.id))
    node.apply(row)
    node.configure(gateway)
  }

  #forget(node: NodeRecord): void {
    this.#nodes.delete(node.id)
    this.#reader.forget(node.id)
    this.#tell({ type: 'deleted', node })
  }

  #tell(change: NodeChange): void {
    for (const listener of this.#listeners) {
      try {
        listener(change)
      } catch (cause) {
        this.#parts.log.error({ err: cause }, 'listener of the node directory failed')
      }
    }
  }
}
