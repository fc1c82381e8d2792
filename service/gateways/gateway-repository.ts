import type { SettingsChange, SettingsPatch } from '@postern/protocol/api/gateways.ts'
import type { AuthKeyPart } from '@postern/protocol/auth-key-part.ts'
import type { GatewayId } from '@postern/protocol/ids.ts'
import { sql } from 'kysely'
import type { Db } from '../db/database.ts'
import { json } from '../db/tables.ts'
import type { GatewayRow } from '../nodes/node-repository.ts'

const COLUMNS = [
  'id',
  'name',
  'settings',
  'public_key as publicKey',
  'stores_version as storesVersion',
  'recovery_key_at as recoveryKeyAt',
  'created_at as createdAt',
] as const

export interface KeyRow {
  readonly slot: 1 | 2
  readonly hint: string
  readonly createdAt: Date
}

/** All the SQL of gateways and their authentication keys. */
export class GatewayRepository {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  async add(id: GatewayId, name: string, settings: SettingsChange): Promise<GatewayRow> {
    return await this.#db
      .insertInto('gateway')
      .values({ id, name, settings: json(settings), public_key: null })
      .returning(COLUMNS)
      .executeTakeFirstOrThrow()
  }

  async page(after: string, count: number): Promise<GatewayRow[]> {
    return await this.#db.selectFrom('gateway').select(COLUMNS).where('name', '>', after).orderBy('name').limit(count).execute()
  }

  /** Settings that are not named stay; null takes one back to its default. */
  async change(id: GatewayId, settings: SettingsPatch): Promise<GatewayRow | undefined> {
    return await this.#db
      .updateTable('gateway')
      .set({ settings: sql`jsonb_strip_nulls(settings || ${json(settings)}::jsonb)` })
      .where('id', '=', id)
      .returning(COLUMNS)
      .executeTakeFirst()
  }

  /** Without any node, and without a recovery key, the private key is gone: the next first node makes a new pair. */
  async forgetPublicKey(id: GatewayId): Promise<GatewayRow | undefined> {
    return await this.#db
      .updateTable('gateway')
      .set({ public_key: null })
      .where('id', '=', id)
      .where('recovery_key_at', 'is', null)
      .where(({ not, exists, selectFrom }) => not(exists(selectFrom('node').select('id').where('gateway_id', '=', id))))
      .returning(COLUMNS)
      .executeTakeFirst()
  }

  async find(id: GatewayId): Promise<GatewayRow | undefined> {
    return await this.#db.selectFrom('gateway').select(COLUMNS).where('id', '=', id).executeTakeFirst()
  }

  async delete(id: GatewayId): Promise<boolean> {
    const { numDeletedRows } = await this.#db.deleteFrom('gateway').where('id', '=', id).executeTakeFirst()
    return numDeletedRows > 0n
  }

  /**
   * Nothing is added to it, and no node joins or leaves, until the transaction ends. Stores are locked before their gateway, all else (nodes,
   * keys, leases, its recovery key) after it: whoever locks several rows does it in this order, or they wait for each other in a circle.
   */
  async lock(id: GatewayId): Promise<boolean> {
    return (await this.#db.selectFrom('gateway').select('id').where('id', '=', id).forUpdate().execute()).length > 0
  }

  /** What still belongs to it; the row is locked, so that nothing is added meanwhile. */
  async contents(id: GatewayId): Promise<{ readonly nodes: number; readonly stores: number }> {
    await this.lock(id)
    const { rows } = await sql<{ nodes: number; stores: number }>`
      select (select count(*) from node where gateway_id = ${id}) as nodes,
             (select count(*) from store where gateway_id = ${id}) as stores`.execute(this.#db)
    return rows[0] ?? { nodes: 0, stores: 0 }
  }

  async putKey(gatewayId: GatewayId, slot: 1 | 2, { proofHash: hash, hint, verifier }: AuthKeyPart): Promise<void> {
    await this.#db
      .insertInto('gateway_key')
      .values({ gateway_id: gatewayId, slot, hash, hint, verifier })
      .onConflict((conflict) => conflict.columns(['gateway_id', 'slot']).doUpdateSet({ hash, hint, verifier, created_at: sql`now()` }))
      .execute()
  }

  /** Of the keys that are good today. */
  async verifiers(gatewayId: GatewayId): Promise<string[]> {
    const rows = await this.#db.selectFrom('gateway_key').select('verifier').where('gateway_id', '=', gatewayId).execute()
    return rows.map(({ verifier }) => verifier).filter((verifier) => verifier !== null)
  }

  async keys(gatewayId: GatewayId): Promise<KeyRow[]> {
    return await this.#db
      .selectFrom('gateway_key')
      .select(['slot', 'hint', 'created_at as createdAt'])
      .where('gateway_id', '=', gatewayId)
      .orderBy('slot')
      .execute()
  }

  async findByKey(hash: string): Promise<GatewayRow | undefined> {
    return await this.#db
      .selectFrom('gateway_key as key')
      .innerJoin('gateway', 'gateway.id', 'key.gateway_id')
      .select([
        'gateway.id as id',
        'name',
        'settings',
        'public_key as publicKey',
        'stores_version as storesVersion',
        'recovery_key_at as recoveryKeyAt',
        'gateway.created_at as createdAt',
      ])
      .where('key.hash', '=', hash)
      .executeTakeFirst()
  }
}
