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
    const from = clock.monotonic()
    const { node, answer } = await this.#ask(store, nodeName, { path: NODE_PATHS.testStore, body: { store: refOf(store) } })
    const said = NodesTest.safeParse(answer)
    if (said.success) return { ...said.data, node: node.name }
    const { code, message, remedy } = Fault.from(answer)
    return { ok: false, node: node.name, durationMs: clock.monotonic() - from, fault: { code, message, remedy } }
  }

  async browse(name: string, path: string, nodeName?: string): Promise<z.infer<typeof Catalog>> {
    const store = await this.#parts.findStore(name)
    const { answer } = await this.#ask(store, nodeName, { path: NODE_PATHS.browseStore, body: { store: refOf(store), path } })
    if (answer instanceof Fault) throw answer
    return Catalog.parse(answer)
  }

  /** A node that goes away meanwhile leaves it to the next one, as with a query: nothing is changed by a look. */
  async #ask(store: ProbedStore, nodeName: string | undefined, { path, body }: { readonly path: string; readonly body: unknown }) {
    const [first, ...others] = this.#nodes(store, nodeName)
    let asked = { node: first, answer: await this.#call(first, path, body) }
    for (const node of others) {
      if (!(asked.answer instanceof Fault) || asked.answer.code !== 'NODE_OFFLINE') break
      asked = { node, answer: await this.#call(node, path, body) }
    }
    return asked
  }

  /** What it answers, or the fault that came in its place. */
  async #call(node: NodeFacts, path: string, body: unknown): Promise<unknown> {
    return await this.#parts.links.call(node.id, path, body, AbortSignal.timeout(PROBE_MS)).catch(Fault.from)
  }

  /** The named one, whatever its state but for its link; else those that a query would take, in their order. */
  #nodes(store: ProbedStore, name: string | undefined): readonly [NodeFacts, ...NodeFacts[]] {
    const { nodes, random } = this.#parts
    const { gatewayId, sealed, nodeLabels } = store
    const all = nodes.nodesOf(gatewayId)
    if (name !== undefined) {
      const named = all.find((node) => node.name === name)
      if (!named) throw new Fault('NODE_UNKNOWN', { at: name })
      if (!named.link) throw new Fault('NODE_OFFLINE', { at: name })
      return [named]
    }
    const gateway = nodes.gateway(gatewayId)
    const policy = gateway?.settings.policy ?? 'primary-first'
    // A probe takes no place: what is at its limit may be looked at.
    const asked = { nodes: all, policy, turn: 0, random, sealed: sealed !== null, store, labels: nodeLabels }
    const { order, considered } = choose({ ...asked, running: () => 0, unlimited: true })
    const [first, ...others] = order
    if (first) return [first, ...others]
    throw noNode(gateway?.name ?? gatewayId, considered)
  }
}

const refOf = ({ id, name, version }: ProbedStore) => ({ id, name, version })
