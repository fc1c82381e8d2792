import { Fault } from '@postern/protocol/fault.ts'
import type { GatewayId } from '@postern/protocol/ids.ts'
import type { RecoverySeal, RotationFacts, RotationSwitch, RotationSwitched } from '@postern/protocol/node-api.ts'
import type { Kysely } from 'kysely'
import type { AuditLog } from '../audit/audit-log.ts'
import type { Tables } from '../db/tables.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import type { NodeFacts } from '../nodes/node-facts.ts'
import { GatewayRepository } from './gateway-repository.ts'
import { RecoveryRepository } from './recovery-repository.ts'
import { RotationRepository } from './rotation-repository.ts'

export interface GatewayKeyServiceParts {
  readonly db: Kysely<Tables>
  readonly nodes: NodeDirectory
  readonly audit: AuditLog
  /** What was kept in memory of the gateway's stores is of yesterday. */
  readonly onSwitched: (gatewayId: GatewayId) => void
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

  async rotationOf({ gatewayId }: NodeFacts): Promise<RotationFacts> {
    const { db } = this.#parts
    // One look at all of it, so that what is read belongs together.
    return await db
      .transaction()
      .setIsolationLevel('repeatable read')
      .execute(async (transaction) => {
        const publicKey = (await new GatewayRepository(transaction).find(gatewayId))?.publicKey
        if (!publicKey) throw new Fault('GATEWAY_KEY_MISSING')
        const stores = await new RotationRepository(transaction).sealed(gatewayId)
        return { publicKey, stores, recovery: (await new RecoveryRepository(transaction).find(gatewayId)) ?? null }
      })
  }

  /** All or nothing: the gateway's key, every credential, what the recovery key opens. */
  async switch(node: NodeFacts, wanted: RotationSwitch, ip: string): Promise<RotationSwitched> {
    const { db, nodes, audit, onSwitched } = this.#parts
    const { gatewayId } = node
    const { changed, row } = await db.transaction().execute(async (transaction) => {
      const rotation = new RotationRepository(transaction)
      const locked = await rotation.lock(gatewayId)
      if (locked?.publicKey !== wanted.from) throw new Fault('GATEWAY_KEY_ROTATED')
      const differ = await rotation.changed(gatewayId, wanted.stores)
      if (differ.length > 0) return { changed: differ, row: undefined }
      await rotation.switch(gatewayId, wanted)
      await new RecoveryRepository(transaction).follow(gatewayId, wanted.recovery)
      const details = { credentials: wanted.stores.length, recoveryKey: wanted.recovery !== null }
      await audit.record(
        { who: `node ${node.name}`, action: 'gateway.rotate-key', target: `gateway ${node.gateway}`, ip, details },
        transaction,
      )
      return { changed: [], row: await new GatewayRepository(transaction).find(gatewayId) }
    })
    if (!row) return { switched: false, changed }
    nodes.putGateway(row)
    onSwitched(gatewayId)
    return { switched: true, changed: [] }
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
