import type { Clock } from '@postern/base/clock.ts'
import type { GatewayId } from '@postern/protocol/ids.ts'
import type { Peer } from '@postern/protocol/node-api.ts'
import type { NodeFacts } from './node-facts.ts'

/**
 * How old a list may be, for each so many nodes: with 500 there are 500 beats a second that ask for it, and while many come at once each of them
 * is told all of it again. So what it costs grows with the nodes, and not with their square.
 */
const FRESH_MS = 250
const FRESH_NODES = 50

interface PeerList {
  readonly peers: readonly Peer[]
  readonly checkedAt: number
}

/** All nodes of a gateway as their peers see them, but for their load; the same object for as long as nothing of that changes. */
export class PeerLists {
  readonly #nodesOf: (gatewayId: GatewayId) => readonly NodeFacts[]
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #lists = new Map<GatewayId, PeerList>()

  constructor(nodesOf: (gatewayId: GatewayId) => readonly NodeFacts[], clock: Pick<Clock, 'monotonic'>) {
    this.#nodesOf = nodesOf
    this.#clock = clock
  }

  of(gatewayId: GatewayId): readonly Peer[] {
    const now = this.#clock.monotonic()
    const known = this.#lists.get(gatewayId)
    if (known && now - known.checkedAt < FRESH_MS * Math.max(1, known.peers.length / FRESH_NODES)) return known.peers
    const nodes = this.#nodesOf(gatewayId)
    const same = known?.peers.length === nodes.length && nodes.every((node, index) => isAsBefore(known.peers[index], node))
    const peers = same ? known.peers : nodes.map(peerOf)
    if (nodes.length === 0) this.#lists.delete(gatewayId)
    else this.#lists.set(gatewayId, { peers, checkedAt: now })
    return peers
  }
}

/** No object is made: this is asked of each node ten times a second. */
function isAsBefore(peer: Peer | undefined, node: NodeFacts): boolean {
  const online = node.alive()
  return (
    peer !== undefined &&
    peer.id === node.id &&
    peer.name === node.name &&
    peer.online === online &&
    peer.acceptsWork === (online && node.enabled && !node.draining) &&
    peer.jobLimit === node.jobLimit &&
    peer.channelAddress === (node.beat?.channel?.address ?? null) &&
    peer.hasGatewayKey === (node.beat?.hasGatewayKey ?? false) &&
    peer.identity === node.identity &&
    peer.channelEncryption === node.beat?.channelEncryption &&
    sameModes(peer.channelAccepts, node.beat?.channelAccepts)
  )
}

export function peerOf(node: NodeFacts): Peer {
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
    identity: node.identity,
    channelEncryption: node.beat?.channelEncryption,
    channelAccepts: node.beat?.channelAccepts,
  }
}

/** Each beat brings a new array. */
function sameModes(before: readonly string[] | undefined, now: readonly string[] | undefined): boolean {
  if (before === now) return true
  return before?.length === now?.length && before?.every((mode, index) => mode === now?.[index]) === true
}
