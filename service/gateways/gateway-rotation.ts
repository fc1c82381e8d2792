import type { KeyRotated } from '@postern/protocol/api/gateways.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { NODE_PATHS, RotateAnswer, type RotateOrder } from '@postern/protocol/link.ts'
import type { Kysely } from 'kysely'
import type { z } from 'zod'
import type { AuditLog } from '../audit/audit-log.ts'
import type { Tables } from '../db/tables.ts'
import type { LinkRegistry } from '../links/link-registry.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import type { NodeFacts } from '../nodes/node-facts.ts'
import { fingerprint } from '../nodes/node-views.ts'
import type { Actor } from '../rights/actor.ts'
import { GatewayRepository } from './gateway-repository.ts'
import { RecoveryRepository } from './recovery-repository.ts'

export interface GatewayRotationParts {
  readonly db: Kysely<Tables>
  readonly nodes: NodeDirectory
  readonly links: Pick<LinkRegistry, 'call'>
  readonly audit: AuditLog
}

/** Longer than a node gives itself. */
const ROTATE_MS = 330_000

/** What people ask for about a gateway's key; a node does it. */
export class GatewayRotation {
  readonly #parts: GatewayRotationParts

  constructor(parts: GatewayRotationParts) {
    this.#parts = parts
  }

  async rotate(name: string, challenge: string | undefined, actor: Actor): Promise<KeyRotated> {
    const { links, audit, nodes } = this.#parts
    const node = this.#nodeOf(name)
    await audit.record({ ...actor, action: 'gateway.rotate-key.ask', target: `gateway ${name}`, details: { node: node.name } })
    const online = nodes.nodesOf(node.gatewayId).filter((one) => one.alive() && one.id !== node.id)
    const order: z.infer<typeof RotateOrder> = { online: online.map(({ id }) => id), ...(challenge === undefined ? {} : { challenge }) }
    const said = RotateAnswer.parse(await links.call(node.id, NODE_PATHS.rotateKey, order, AbortSignal.timeout(ROTATE_MS)))
    const { publicKey, proof, resealed, unreadable } = said
    return {
      publicKey,
      fingerprint: fingerprint(publicKey),
      ...(proof === undefined ? {} : { proof }),
      resealed,
      unreadable,
      node: node.name,
    }
  }

  /** Without a node either, the private key is gone: the next first node makes a new pair. */
  async forgetRecovery(name: string, actor: Actor): Promise<void> {
    const { db, nodes, audit } = this.#parts
    const gateway = nodes.gatewayByName(name)
    if (!gateway) throw new Fault('GATEWAY_UNKNOWN', { at: name })
    const row = await db.transaction().execute(async (transaction) => {
      if (!(await new RecoveryRepository(transaction).forget(gateway.id))) throw new Fault('RECOVERY_KEY_MISSING', { at: `(${name})` })
      await audit.record({ ...actor, action: 'gateway.forget-recovery-key', target: `gateway ${name}` }, transaction)
      const gateways = new GatewayRepository(transaction)
      return (await gateways.forgetPublicKey(gateway.id)) ?? (await gateways.find(gateway.id))
    })
    if (row) nodes.putGateway(row)
  }

  /** The dispatcher where it can; else another that holds the key. */
  #nodeOf(name: string): NodeFacts {
    const { nodes } = this.#parts
    const gateway = nodes.gatewayByName(name)
    if (!gateway) throw new Fault('GATEWAY_UNKNOWN', { at: name })
    if (gateway.publicKey === null) throw new Fault('GATEWAY_KEY_MISSING', { at: name })
    const able = nodes.nodesOf(gateway.id).filter((node) => node.alive() && node.link !== null && node.beat?.hasGatewayKey === true)
    const node = able.find(({ isDispatcher }) => isDispatcher) ?? able[0]
    if (!node) throw new Fault('NO_NODE_AVAILABLE', { at: 'None that has the gateway’s key is linked.' })
    return node
  }
}
