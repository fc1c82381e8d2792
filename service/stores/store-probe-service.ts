import type { Clock } from '@postern/base/clock.ts'
import type { Random } from '@postern/base/random.ts'
import type { Labels } from '@postern/protocol/api/gateways.ts'
import { Catalog, StoreTestResult } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { GatewayId, StoreId } from '@postern/protocol/ids.ts'
import { NODE_PATHS } from '@postern/protocol/link.ts'
import type { z } from 'zod'
import type { LinkRegistry } from '../links/link-registry.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import type { NodeFacts } from '../nodes/node-facts.ts'
import { noNode } from '../queries/choice-faults.ts'
import { choose } from '../queries/choose.ts'

interface ProbedStore {
  readonly id: StoreId
  readonly name: string
  readonly version: number
  readonly gatewayId: GatewayId
  readonly sealed: string | null
  readonly nodeLabels: Labels
}

export interface StoreProbeParts {
  /** Fails with STORE_UNKNOWN. */
  readonly findStore: (name: string) => ProbedStore | Promise<ProbedStore>
  readonly nodes: Pick<NodeDirectory, 'nodesOf' | 'gateway'>
  readonly links: Pick<LinkRegistry, 'call'>
  readonly clock: Clock
  readonly random: Random
}

/** A sign-in to a far server may take its time; longer than its own time-outs. */
const PROBE_MS = 30_000
const NodesTest = StoreTestResult.omit({ node: true })

/** Tests a store, and looks into it, from a node. */
export class StoreProbe {
  readonly #parts: StoreProbeParts

  constructor(parts: StoreProbeParts) {
    this.#parts = parts
  }

  /** A store that cannot be reached is a result, not a fault of the request. */
  async test(name: string, nodeName?: string): Promise<z.infer<typeof StoreTestResult>> {
    const { clock } = this.#parts
    const store = await this.#parts.findStore(name)
    const node = this.#node(store, nodeName)
    const from = clock.monotonic()
    try {
      const answer = await this.#call(node, NODE_PATHS.testStore, { store: refOf(store) })
      return { ...NodesTest.parse(answer), node: node.name }
    } catch (cause) {
      const { code, message, remedy } = Fault.from(cause)
      return { ok: false, node: node.name, durationMs: clock.monotonic() - from, fault: { code, message, remedy } }
    }
  }

  async browse(name: string, path: string, nodeName?: string): Promise<z.infer<typeof Catalog>> {
    const store = await this.#parts.findStore(name)
    const answer = await this.#call(this.#node(store, nodeName), NODE_PATHS.browseStore, { store: refOf(store), path })
    return Catalog.parse(answer)
  }

  async #call(node: NodeFacts, path: string, body: unknown): Promise<unknown> {
    return await this.#parts.links.call(node.id, path, body, AbortSignal.timeout(PROBE_MS))
  }

  /** The named one, whatever its state but for its link; else the one that a query would take. */
  #node(store: ProbedStore, name: string | undefined): NodeFacts {
    const { nodes, random } = this.#parts
    const { gatewayId, sealed, nodeLabels } = store
    const all = nodes.nodesOf(gatewayId)
    if (name !== undefined) {
      const named = all.find((node) => node.name === name)
      if (!named) throw new Fault('NODE_UNKNOWN', { at: name })
      if (!named.link) throw new Fault('NODE_OFFLINE', { at: name })
      return named
    }
    const gateway = nodes.gateway(gatewayId)
    const policy = gateway?.settings.policy ?? 'primary-first'
    // A probe takes no place: what is at its limit may be looked at.
    const asked = { nodes: all, policy, turn: 0, random, sealed: sealed !== null, store, labels: nodeLabels }
    const { order, considered } = choose({ ...asked, running: () => 0, unlimited: true })
    const [first] = order
    if (first) return first
    throw noNode(gateway?.name ?? gatewayId, considered)
  }
}

const refOf = ({ id, name, version }: ProbedStore) => ({ id, name, version })
