import type { GatewayId, StoreId } from '@postern/protocol/ids.ts'
import type { NodeStore, RotationSwitch } from '@postern/protocol/node-api.ts'
import { sql } from 'kysely'
import type { Db } from '../db/database.ts'
import { json } from '../db/tables.ts'

/** All the SQL of a rotation of a gateway's key. */
export class RotationRepository {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  /** Every store of the gateway that has a credential. */
  async sealed(gatewayId: GatewayId): Promise<NodeStore[]> {
    return await this.#db
      .selectFrom('store')
      .select(['id', 'name', 'version', 'gateway_id as gatewayId', 'kind', 'settings', 'sealed'])
      .where('gateway_id', '=', gatewayId)
      .where('sealed', 'is not', null)
      .orderBy('id')
      .execute()
  }

  /**
   * Nobody saves a credential of the gateway until the transaction ends. Stores first, then the gateway, which each change of a store writes to (a
   * trigger): the order in which others take them.
   */
  async lock(gatewayId: GatewayId): Promise<{ readonly publicKey: string | null } | undefined> {
    await sql`select 1 from store where gateway_id = ${gatewayId} order by id for update`.execute(this.#db)
    const { rows } = await sql<{ publicKey: string | null }>`
      select public_key as "publicKey" from gateway where id = ${gatewayId} for update`.execute(this.#db)
    return rows[0]
  }

  /** Those that differ from what was read, or were added or taken away. */
  async changed(gatewayId: GatewayId, read: RotationSwitch['stores']): Promise<StoreId[]> {
    const { rows } = await sql<{ id: StoreId }>`
      select coalesce(store.id, given.id) as id
        from (select id, version from store where gateway_id = ${gatewayId} and sealed is not null) as store
   full join jsonb_to_recordset(${json(read)}::jsonb) as given (id text, version integer) on given.id = store.id
       where store.version is distinct from given.version`.execute(this.#db)
    return rows.map(({ id }) => id)
  }

  /** The versions grow, so that nodes fetch what is sealed anew. */
  async switch(gatewayId: GatewayId, { to, stores }: Pick<RotationSwitch, 'to' | 'stores'>): Promise<void> {
    await sql`
      update store
         set sealed = given.sealed, version = store.version + 1
        from jsonb_to_recordset(${json(stores)}::jsonb) as given (id text, sealed text)
       where store.id = given.id and store.gateway_id = ${gatewayId}`.execute(this.#db)
    await this.#db.updateTable('gateway').set({ public_key: to }).where('id', '=', gatewayId).execute()
  }
}
