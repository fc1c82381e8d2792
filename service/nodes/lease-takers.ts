import type { Clock } from '@postern/base/clock.ts'
import type { GatewayId, NodeId } from '@postern/protocol/ids.ts'
import type { DispatcherLeases, Lease } from './dispatcher-leases.ts'

/** So long the first one waits for others: each gateway's dispatcher renews each second, and one statement does for many. */
const GATHER_MS = 20

interface Asking {
  readonly nodeId: NodeId
  readonly settle: (lease: Lease | undefined) => void
  readonly fail: (cause: unknown) => void
}

/** Takes and renews the leases of many gateways with one statement. */
export class LeaseTakers {
  readonly #leases: Pick<DispatcherLeases, 'takeAll'>
  readonly #clock: Clock
  #asking = new Map<GatewayId, Asking[]>()

  constructor(leases: Pick<DispatcherLeases, 'takeAll'>, clock: Clock) {
    this.#leases = leases
    this.#clock = clock
  }

  /** Undefined when another node holds it. */
  take(gatewayId: GatewayId, nodeId: NodeId): Promise<Lease | undefined> {
    return new Promise((settle, fail) => {
      if (this.#asking.size === 0) void this.#clock.sleep(GATHER_MS).then(() => this.#flush())
      const asking = { nodeId, settle, fail }
      const others = this.#asking.get(gatewayId)
      if (others) others.push(asking)
      else this.#asking.set(gatewayId, [asking])
    })
  }

  async #flush(): Promise<void> {
    const asking = this.#asking
    this.#asking = new Map()
    try {
      // Of two nodes that want the same one, the first that asked.
      const wanted = [...asking].map(([gatewayId, [first]]) => ({ gatewayId, nodeId: first?.nodeId ?? ('' as NodeId) }))
      const taken = new Map((await this.#leases.takeAll(wanted)).map((lease) => [lease.gatewayId, lease]))
      for (const [gatewayId, nodes] of asking) {
        const lease = taken.get(gatewayId)
        for (const { nodeId, settle } of nodes) settle(lease?.node === nodeId ? lease : undefined)
      }
    } catch (cause) {
      for (const nodes of asking.values()) for (const { fail } of nodes) fail(cause)
    }
  }
}
