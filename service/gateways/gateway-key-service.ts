import { Fault } from '@postern/protocol/fault.ts'
import type { GatewayId } from '@postern/protocol/ids.ts'
import type { RecoverySeal } from '@postern/protocol/node-api.ts'
import type { Kysely } from 'kysely'
import type { AuditLog } from '../audit/audit-log.ts'
import type { Tables } from '../db/tables.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import type { NodeFacts } from '../nodes/node-facts.ts'
import { GatewayRepository } from './gateway-repository.ts'
import { RecoveryRepository } from './recovery-repository.ts'

export interface GatewayKeyServiceParts {
  readonly db: Kysely<Tables>
  readonly nodes: NodeDirectory
  readonly audit: AuditLog
}

/** What belongs to a gateway's key. The service keeps it and can open none of it. */
export class GatewayKeyService {
  readonly #parts: GatewayKeyServiceParts

  constructor(parts: GatewayKeyServiceParts) {
    this.#parts = parts
  }

  async recoveryOf(gatewayId: GatewayId): Promise<RecoverySeal | undefined> {
    return await new RecoveryRepository(this.#parts.db).find(gatewayId)
  }

  async putRecovery(node: NodeFacts, seal: RecoverySeal, ip: string): Promise<void> {
    const { db, nodes, audit } = this.#parts
    const row = await db.transaction().execute(async (transaction) => {
      if (!(await new RecoveryRepository(transaction).put(node.gatewayId, seal, node.name))) throw new Fault('GATEWAY_KEY_ROTATED')
      await audit.record({ who: `node ${node.name}`, action: 'gateway.recovery-key', target: `gateway ${node.gateway}`, ip }, transaction)
      return await new GatewayRepository(transaction).find(node.gatewayId)
    })
    if (row) nodes.putGateway(row)
  }
}
