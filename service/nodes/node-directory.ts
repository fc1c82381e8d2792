import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { GatewaySettings } from '@postern/protocol/api/gateways.ts'
import type { GatewayId, NodeId, ReplicaId } from '@postern/protocol/ids.ts'
import type { Beat } from '@postern/protocol/node-api.ts'
import type { GatewayFacts, LinkTransport, NodeChange, NodeFacts } from './node-facts.ts'
import { type DirectoryNews, NodeLinks } from './node-links.ts'
import { factsOf, type Picture, pictureOf, sharedBy } from './node-picture.ts'
import { NodeRecord } from './node-record.ts'
import type { DirectoryRows, GatewayRow, NodeRow } from './node-repository.ts'
import { nodeStatus } from './node-status.ts'

/** How often what other replicas wrote is read. */
const REFRESH_MS = 3_000
/** How often statuses are derived anew, so that silence is noticed. */
const SWEEP_MS = 500

export interface NodeDirectoryParts {
  readonly rows: { load(): Promise<DirectoryRows> }
  readonly clock: Clock
  readonly log: Log
}

/** What this replica knows of gateways and nodes, in memory: the hot path of queries reads it without SQL. */
export class NodeDirectory implements Component {
  readonly name = 'node-directory'
  readonly #parts: NodeDirectoryParts
  readonly #gateways = new Map<GatewayId, GatewayFacts>()
  readonly #nodes = new Map<NodeId, NodeRecord>()
  #byGateway = new Map<GatewayId, readonly NodeRecord[]>()
  readonly #pictures = new Map<GatewayId, Picture>()
  readonly #holders = new Map<GatewayId, { readonly node: NodeId | null; readonly epoch: number; readonly until: number }>()
  readonly #listeners = new Set<(change: NodeChange) => void>()
  readonly #linkListeners = new Set<(nodeId: NodeId) => void>()
  readonly #links = new NodeLinks()
  readonly #stopping = new AbortController()
  #loop: Promise<void> | undefined
  /** Grows with each own write: a read that began before it may be older than what is known. */
  #writes = 0

  constructor(parts: NodeDirectoryParts) {
    this.#parts = parts
  }

  async start(): Promise<void> {
    await this.refresh()
    this.#loop ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
  }

  // ── reading ────────────────────────────────────────────────────────────────────────────────────

  /** In the gateway's order of preference. Empty for an unknown one. */
  nodesOf(gatewayId: GatewayId): readonly NodeFacts[] {
    return this.#byGateway.get(gatewayId) ?? []
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
  dispatcherOf(gatewayId: GatewayId): { readonly node: NodeId | null; readonly epoch: number } {
    const held = this.#holders.get(gatewayId)
    if (!held) return { node: null, epoch: 0 }
    return { node: held.until > this.#parts.clock.monotonic() ? held.node : null, epoch: held.epoch }
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
    const known = this.#holders.get(gatewayId)
    if (known && known.epoch > epoch) return
    this.#holders.set(gatewayId, { node, epoch, until: this.#parts.clock.monotonic() + ms })
    for (const record of this.#byGateway.get(gatewayId) ?? []) record.isDispatcher = record.id === node
  }

  putGateway(row: GatewayRow): void {
    this.#wrote()
    this.#applyGateway(row)
    this.sweep()
  }

  dropGateway(id: GatewayId): void {
    this.#wrote()
    this.#gateways.delete(id)
    for (const node of this.#byGateway.get(id) ?? []) this.#forget(node)
    this.#arrange()
  }

  putNode(row: NodeRow): void {
    this.#wrote()
    this.#applyNode(row)
    this.#arrange()
    this.sweep()
  }

  dropNode(id: NodeId): void {
    this.#wrote()
    const node = this.#nodes.get(id)
    if (node) this.#forget(node)
    this.#arrange()
    this.sweep()
  }

  /** Reads all from the database; what is newer in memory stays. */
  async refresh(): Promise<void> {
    const writes = this.#writes
    const { gateways, nodes, leases } = await this.#parts.rows.load()
    if (writes !== this.#writes) return // something was written meanwhile: the next round reads it
    for (const row of gateways) this.#applyGateway(row)
    const ids = new Set<string>(gateways.map(({ id }) => id))
    for (const id of this.#gateways.keys()) if (!ids.has(id)) this.#gateways.delete(id)
    for (const row of nodes) this.#applyNode(row)
    const nodeIds = new Set<string>(nodes.map(({ id }) => id))
    for (const node of this.#nodes.values()) if (!nodeIds.has(node.id)) this.#forget(node)
    this.#arrange()
    for (const { gatewayId, node, epoch, leftMs } of leases) this.lease(gatewayId, node, epoch, leftMs)
    this.sweep()
  }

  /** Derives each node's status and tells of what changed. */
  sweep(): void {
    for (const gatewayId of this.#byGateway.keys()) this.#sweepGateway(gatewayId)
  }

  // ── inside ─────────────────────────────────────────────────────────────────────────────────────

  /** Its links have changed, here or at another replica. */
  #linked(nodeId: NodeId): void {
    const node = this.#nodes.get(nodeId)
    const transport = this.#links.of(nodeId)
    node?.linked(transport)
    if (transport === null) for (const listener of this.#linkListeners) listener(nodeId)
    if (node) this.#derive(node)
  }

  #heard(nodeId: NodeId, beat: Beat): void {
    const node = this.#nodes.get(nodeId)
    if (!node) return
    const before = sharedBy(node)
    node.heard(beat, 0)
    // With 5,000 nodes there are 5,000 beats a second: the others are looked at only when this one says something new about them.
    if (before === sharedBy(node)) this.#derive(node)
    else this.#sweepGateway(node.gatewayId)
  }

  #left(nodeId: NodeId): void {
    const node = this.#nodes.get(nodeId)
    node?.goodbye()
    if (node) this.#sweepGateway(node.gatewayId)
  }

  #wrote(): void {
    this.#writes += 1
    this.#links.tell({ type: 'changed' })
  }

  #sweepGateway(gatewayId: GatewayId): void {
    this.#pictures.delete(gatewayId)
    for (const node of this.#byGateway.get(gatewayId) ?? []) this.#derive(node)
  }

  #derive(node: NodeRecord): void {
    if (node.become(nodeStatus(factsOf(node, this.#picture(node.gatewayId))))) this.#tell({ type: 'changed', node })
  }

  /** As of the last sweep of the gateway. */
  #picture(gatewayId: GatewayId): Picture {
    const known = this.#pictures.get(gatewayId)
    if (known) return known
    const picture = pictureOf(this.#byGateway.get(gatewayId) ?? [], this.#gateways.get(gatewayId)?.publicKey != null)
    this.#pictures.set(gatewayId, picture)
    return picture
  }

  #applyGateway(row: GatewayRow): void {
    const settings = GatewaySettings.parse(row.settings)
    const gateway: GatewayFacts = {
      id: row.id,
      name: row.name,
      settings,
      changed: row.settings,
      publicKey: row.publicKey,
      createdAt: row.createdAt,
    }
    this.#gateways.set(row.id, gateway)
    for (const node of this.#byGateway.get(row.id) ?? []) node.configure(gateway)
  }

  #applyNode(row: NodeRow): void {
    const gateway = this.#gateways.get(row.gatewayId)
    if (!gateway) return
    const known = this.#nodes.get(row.id)
    const node = known ?? new NodeRecord(row, this.#parts.clock)
    this.#nodes.set(row.id, node)
    if (!known) node.linked(this.#links.of(row.id))
    node.apply(row)
    node.configure(gateway)
  }

  #arrange(): void {
    const byGateway = new Map<GatewayId, NodeRecord[]>()
    for (const node of [...this.#nodes.values()].sort((a, b) => a.place - b.place)) {
      const list = byGateway.get(node.gatewayId)
      if (list) list.push(node)
      else byGateway.set(node.gatewayId, [node])
    }
    this.#byGateway = byGateway
    this.#pictures.clear()
    for (const nodes of byGateway.values()) for (const [index, node] of nodes.entries()) node.isPrimary = index === 0
    for (const [gatewayId, nodes] of byGateway) {
      const holder = this.#holders.get(gatewayId)?.node
      for (const node of nodes) node.isDispatcher = node.id === holder
    }
  }

  #forget(node: NodeRecord): void {
    this.#nodes.delete(node.id)
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

  async #run(): Promise<void> {
    const { clock, log } = this.#parts
    const { signal } = this.#stopping
    let readAt = clock.monotonic()
    while (!signal.aborted) {
      await clock.sleep(SWEEP_MS, signal).catch(() => undefined)
      if (signal.aborted) return
      this.sweep()
      if (clock.monotonic() - readAt < REFRESH_MS) continue
      readAt = clock.monotonic()
      await this.refresh().catch((cause) => log.debug({ err: cause }, 'nodes not read again'))
    }
  }
}
