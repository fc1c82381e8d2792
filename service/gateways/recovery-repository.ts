import type { GatewayId } from '@postern/protocol/ids.ts'
import type { RecoverySeal } from '@postern/protocol/node-api.ts'
import { sql } from 'kysely'
import type { Db } from '../db/database.ts'

/** All the SQL of recovery keys. The service can open none of it. */
export class RecoveryRepository {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  async find(gatewayId: GatewayId): Promise<RecoverySeal | undefined> {
    return await this.#db
      .selectFrom('gateway_recovery')
      .select(['public_key as publicKey', 'recovery_key as recoveryKey', 'stamp', 'sealed'])
      .where('gateway_id', '=', gatewayId)
      .executeTakeFirst()
  }

  /** Takes the place of the one there was. False when the gateway's key is another one by now. */
  async put(gatewayId: GatewayId, seal: RecoverySeal, madeBy: string): Promise<boolean> {
    const { rows } = await sql<{ id: GatewayId }>`
      update gateway set recovery_key_at = now() where id = ${gatewayId} and public_key = ${seal.publicKey} returning id`.execute(this.#db)
    if (rows.length === 0) return false
    const values = { public_key: seal.publicKey, recovery_key: seal.recoveryKey, stamp: seal.stamp, sealed: seal.sealed, made_by: madeBy }
    await this.#db
      .insertInto('gateway_recovery')
      .values({ gateway_id: gatewayId, ...values })
      .onConflict((conflict) => conflict.column('gateway_id').doUpdateSet(values))
      .execute()
    return true
  }

  /** After a rotation: the same recovery key, sealed with the new key in it. Null: it opens nothing any more. */
  async follow(gatewayId: GatewayId, seal: RecoverySeal | null): Promise<void> {
    if (seal === null) return void (await this.forget(gatewayId))
    const { publicKey, recoveryKey, stamp, sealed } = seal
    await this.#db
      .updateTable('gateway_recovery')
      .set({ public_key: publicKey, stamp, sealed })
      .where('gateway_id', '=', gatewayId)
      .where('recovery_key', '=', recoveryKey)
      .execute()
  }

  /** The gateway first, as in `put`: two that took the rows in another order would wait for each other. */
  async forget(gatewayId: GatewayId): Promise<boolean> {
    await this.#db.updateTable('gateway').set({ recovery_key_at: null }).where('id', '=', gatewayId).execute()
    const { numDeletedRows } = await this.#db.deleteFrom('gateway_recovery').where('gateway_id', '=', gatewayId).executeTakeFirst()
    return numDeletedRows > 0n
  }
}
