import type { NodeSettingsPatch, NodeView } from '@postern/protocol/api/gateways.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { Kysely } from 'kysely'
import type { AuditEntry, AuditLog } from '../audit/audit-log.ts'
import { violates } from '../db/errors.ts'
import type { Tables } from '../db/tables.ts'
import { GatewayRepository } from '../gateways/gateway-repository.ts'
import type { Actor } from '../rights/actor.ts'
import { DispatcherLeases } from './dispatcher-leases.ts'
import type { NodeDirectory } from './node-directory.ts'
import type { NodeFacts } from './node-facts.ts'
import { NodeRepository } from './node-repository.ts'
import { settingsInWords } from './node-settings.ts'
import { nodeView } from './node-views.ts'

export interface NodeServiceParts {
  readonly db: Kysely<Tables>
  readonly nodes: NodeDirectory
  readonly audit: AuditLog
}

interface Change {
  readonly name?: string | undefined
  readonly enabled?: boolean
  readonly draining?: boolean
  readonly settings?: NodeSettingsPatch | undefined
}

/** What people do with nodes. */
export class NodeService {
  readonly #parts: NodeServiceParts

  constructor(parts: NodeServiceParts) {
    this.#parts = parts
  }

  /** Fails with GATEWAY_UNKNOWN or NODE_UNKNOWN. */
  find(gatewayName: string, name: string): NodeFacts {
    const node = this.list(gatewayName).find((known) => known.name === name)
    if (!node) throw new Fault('NODE_UNKNOWN', { at: `${gatewayName}/${name}` })
    return node
  }

  list(gatewayName: string): readonly NodeFacts[] {
    const { nodes } = this.#parts
    const gateway = nodes.gatewayByName(gatewayName)
    if (!gateway) throw new Fault('GATEWAY_UNKNOWN', { at: gatewayName })
    return nodes.nodesOf(gateway.id)
  }

  view(node: NodeFacts): NodeView {
    return nodeView(node, this.#parts.nodes.gateway(node.gatewayId)?.publicKey != null)
  }

  show(gatewayName: string, name: string): NodeView {
    return this.view(this.find(gatewayName, name))
  }

  async patch(
    gatewayName: string,
    name: string,
    change: { readonly name?: string | undefined; readonly settings?: NodeSettingsPatch | undefined },
    actor: Actor,
  ) {
    const node = this.find(gatewayName, name)
    const action = change.name ? 'node.rename' : 'node.set'
    return await this.#change(node, change, { ...actor, action, target: targetOf(node), details: detailsOf(change) })
  }

  /** Finishes what it has and takes nothing new, until it is enabled again. */
  async drain(gatewayName: string, name: string, actor: Actor): Promise<NodeView> {
    const node = this.find(gatewayName, name)
    const view = await this.#change(node, { draining: true }, { ...actor, action: 'node.drain', target: targetOf(node) })
    await new DispatcherLeases(this.#parts.db).release(node.gatewayId, node.id)
    return view
  }

  async enable(gatewayName: string, name: string, actor: Actor): Promise<NodeView> {
    const node = this.find(gatewayName, name)
    return await this.#change(node, { enabled: true, draining: false }, { ...actor, action: 'node.enable', target: targetOf(node) })
  }

  async disable(gatewayName: string, name: string, actor: Actor): Promise<NodeView> {
    const node = this.find(gatewayName, name)
    const view = await this.#change(node, { enabled: false }, { ...actor, action: 'node.disable', target: targetOf(node) })
    await new DispatcherLeases(this.#parts.db).release(node.gatewayId, node.id)
    return view
  }

  /** Any node, the primary too. It is told at its next call. */
  async delete(node: NodeFacts, actor: Actor, action = 'node.delete'): Promise<void> {
    const { db, nodes, audit } = this.#parts
    const gateway = await db.transaction().execute(async (transaction) => {
      // A node that joins with its name in this moment comes before it or after it.
      await new GatewayRepository(transaction).lock(node.gatewayId)
      if (!(await new NodeRepository(transaction).delete(node.id))) return undefined
      await new DispatcherLeases(transaction).release(node.gatewayId, node.id)
      await audit.record({ ...actor, action, target: targetOf(node) }, transaction)
      return await new GatewayRepository(transaction).forgetPublicKey(node.gatewayId)
    })
    nodes.dropNode(node.id)
    if (gateway) nodes.putGateway(gateway)
  }

  async #change(node: NodeFacts, change: Change, entry: AuditEntry): Promise<NodeView> {
    const { db, nodes, audit } = this.#parts
    const { name, settings, ...switches } = change
    const row = await db
      .transaction()
      .execute(async (transaction) => {
        const changed = await new NodeRepository(transaction).change(node.id, {
          ...switches,
          ...(name === undefined ? {} : { name }),
          ...(settings === undefined ? {} : { settings }),
        })
        if (!changed) throw new Fault('NODE_UNKNOWN', { at: `${node.gateway}/${node.name}` })
        await audit.record(entry, transaction)
        return changed
      })
      .catch((cause: unknown) => {
        if (violates(cause, 'node_name_unique'))
          throw new Fault('NODE_NAME_TAKEN', { at: `${node.gateway}/${name}`, remedy: 'Choose another name.' })
        throw cause
      })
    nodes.putNode(row)
    const now = nodes.get(node.id)
    if (!now) throw new Fault('NODE_UNKNOWN', { at: `${node.gateway}/${node.name}` })
    return this.view(now)
  }
}

const targetOf = (node: NodeFacts) => `node ${node.gateway}/${node.name}`

const detailsOf = ({ name, settings = {} }: { readonly name?: string | undefined; readonly settings?: NodeSettingsPatch | undefined }) => ({
  ...(name === undefined ? {} : { name }),
  ...settingsInWords(settings),
})
