import type { Clock } from '@postern/base/clock.ts'
import type { GatewayId, NodeId } from '@postern/protocol/ids.ts'
import { type Picture, pictureOf } from './node-picture.ts'
import type { NodeRecord } from './node-record.ts'

interface Held {
  readonly node: NodeId | null
  readonly epoch: number
  readonly until: number
}

/** The nodes of each gateway in its order of preference: who is primary, who dispatches, and what they have in common. */
export class GatewayMembers {
  readonly #clock: Clock
  #nodes = new Map<GatewayId, readonly NodeRecord[]>()
  readonly #pictures = new Map<GatewayId, Picture>()
  readonly #held = new Map<GatewayId, Held>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  of(gatewayId: GatewayId): readonly NodeRecord[] {
    return this.#nodes.get(gatewayId) ?? []
  }

  entries(): Iterable<readonly [GatewayId, readonly NodeRecord[]]> {
    return this.#nodes
  }

  /** All nodes that there are, after one has come, gone or changed its place. */
  arrange(all: Iterable<NodeRecord>): void {
    this.#nodes = Map.groupBy(
      [...all].sort((a, b) => a.place - b.place),
      ({ gatewayId }) => gatewayId,
    )
    this.#pictures.clear()
    for (const [gatewayId, nodes] of this.#nodes) {
      for (const [index, node] of nodes.entries()) node.isPrimary = index === 0
      this.#markDispatcher(gatewayId)
    }
  }

  /** An older epoch than the one that is known says nothing. */
  lease(gatewayId: GatewayId, { node, epoch, ms }: { readonly node: NodeId | null; readonly epoch: number; readonly ms: number }): void {
    const known = this.#held.get(gatewayId)
    if (known && known.epoch > epoch) return
    this.#held.set(gatewayId, { node, epoch, until: this.#clock.monotonic() + ms })
    this.#markDispatcher(gatewayId)
  }

  dispatcherOf(gatewayId: GatewayId): { readonly node: NodeId | null; readonly epoch: number; readonly leftMs: number } {
    const held = this.#held.get(gatewayId)
    if (!held) return { node: null, epoch: 0, leftMs: 0 }
    const leftMs = Math.max(0, held.until - this.#clock.monotonic())
    return { node: leftMs > 0 ? held.node : null, epoch: held.epoch, leftMs }
  }

  /** As it was when it was last forgotten. */
  picture(gatewayId: GatewayId, hasKey: boolean): Picture {
    const known = this.#pictures.get(gatewayId)
    if (known) return known
    const picture = pictureOf(this.of(gatewayId), hasKey)
    this.#pictures.set(gatewayId, picture)
    return picture
  }

  forgetPicture(gatewayId: GatewayId): void {
    this.#pictures.delete(gatewayId)
  }

  #markDispatcher(gatewayId: GatewayId): void {
    const holder = this.#held.get(gatewayId)?.node
    for (const node of this.of(gatewayId)) node.isDispatcher = node.id === holder
  }
}
