import type { Labels } from '@postern/protocol/api/gateways.ts'
import type { StoreLimits, StoreLimitsChange } from '@postern/protocol/api/query-limits.ts'
import type { StoreSettings } from '@postern/protocol/api/stores.ts'
import type { GatewayId, StoreId } from '@postern/protocol/ids.ts'
import { sql } from 'kysely'
import type { Db } from '../db/database.ts'
import { json } from '../db/tables.ts'
import type { Where } from '../people/rights.ts'

export interface StoreRow {
  readonly id: StoreId
  readonly name: string
  readonly gatewayId: GatewayId
  readonly kind: string
  readonly version: number
  readonly settings: StoreSettings
  /** As it came: only nodes of the gateway can open it. */
  readonly sealed: string | null
  readonly secrets: readonly string[]
  /** A label of who sealed it. */
  readonly secretsVersion: string | null
  /** Only nodes that carry all of these answer queries for it. */
  readonly nodeLabels: Labels
  readonly limits: StoreLimits
  readonly createdAt: Date
  readonly updatedAt: Date
}

const COLUMNS = [
  'id',
  'name',
  'gateway_id as gatewayId',
  'kind',
  'version',
  'settings',
  'sealed',
  'secrets',
  'secrets_version as secretsVersion',
  'node_labels as nodeLabels',
  'limits',
  'created_at as createdAt',
  'updated_at as updatedAt',
] as const

/** All the SQL of stores. */
export class StoreRepository {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  async add(
    store: Pick<
      StoreRow,
      'id' | 'name' | 'gatewayId' | 'kind' | 'settings' | 'sealed' | 'secrets' | 'secretsVersion' | 'nodeLabels' | 'limits'
    >,
  ): Promise<StoreRow> {
    return await this.#db
      .insertInto('store')
      .values({
        id: store.id,
        name: store.name,
        gateway_id: store.gatewayId,
        kind: store.kind,
        settings: json(store.settings),
        sealed: store.sealed,
        secrets: [...store.secrets],
        secrets_version: store.secretsVersion,
        node_labels: json(store.nodeLabels),
        limits: json(store.limits),
      })
      .returning(COLUMNS)
      .executeTakeFirstOrThrow()
  }

  async findByName(name: string): Promise<StoreRow | undefined> {
    return await this.#db.selectFrom('store').select(COLUMNS).where('name', '=', name).executeTakeFirst()
  }

  async find(id: StoreId): Promise<StoreRow | undefined> {
    return await this.#db.selectFrom('store').select(COLUMNS).where('id', '=', id).executeTakeFirst()
  }

  /** By name; of all `sees`, each must hold. */
  async page(after: string, count: number, sees: readonly Where[] = []): Promise<StoreRow[]> {
    let query = this.#db.selectFrom('store').select(COLUMNS).where('name', '>', after).orderBy('name').limit(count)
    for (const { gateways, stores } of sees)
      query = query.where(sql<boolean>`(gateway_id = any(${[...gateways]}) or id = any(${[...stores]}))`)
    return await query.execute()
  }

  /** The version grows, so that nodes open it anew. Compare-and-set on the version that was read. */
  async change(
    id: StoreId,
    from: number,
    change: Pick<StoreRow, 'settings' | 'sealed' | 'secrets' | 'secretsVersion'>,
  ): Promise<StoreRow | undefined> {
    return await this.#db
      .updateTable('store')
      .set({
        settings: json(change.settings),
        sealed: change.sealed,
        secrets: [...change.secrets],
        secrets_version: change.secretsVersion,
        version: from + 1,
        updated_at: sql`now()`,
      })
      .where('id', '=', id)
      .where('version', '=', from)
      .returning(COLUMNS)
      .executeTakeFirst()
  }

  /** Limits that are not named stay, null takes one away. Nodes have nothing to do with them, so the version stays. */
  async limit(id: StoreId, limits: StoreLimitsChange): Promise<StoreRow | undefined> {
    return await this.#db
      .updateTable('store')
      .set({ limits: sql`jsonb_strip_nulls(limits || ${json(limits)}::jsonb)`, updated_at: sql`now()` })
      .where('id', '=', id)
      .returning(COLUMNS)
      .executeTakeFirst()
  }

  /** Nodes have nothing to do with them, so the version stays. */
  async label(id: StoreId, nodeLabels: Labels): Promise<StoreRow | undefined> {
    return await this.#db
      .updateTable('store')
      .set({ node_labels: json(nodeLabels), updated_at: sql`now()` })
      .where('id', '=', id)
      .returning(COLUMNS)
      .executeTakeFirst()
  }

  /** The state of a gateway's stores; grows with each change (a trigger sees to it). */
  async versionOf(gatewayId: GatewayId): Promise<number> {
    const row = await this.#db.selectFrom('gateway').select('stores_version as version').where('id', '=', gatewayId).executeTakeFirst()
    return row?.version ?? 0
  }

  /** Id and version of each store of a gateway. */
  async versions(gatewayId: GatewayId, most: number): Promise<Pick<StoreRow, 'id' | 'version'>[]> {
    return await this.#db
      .selectFrom('store')
      .select(['id', 'version'])
      .where('gateway_id', '=', gatewayId)
      .orderBy('id')
      .limit(most)
      .execute()
  }

  async findAll(ids: readonly StoreId[]): Promise<StoreRow[]> {
    return ids.length === 0 ? [] : await this.#db.selectFrom('store').select(COLUMNS).where('id', 'in', ids).execute()
  }

  async delete(id: StoreId): Promise<boolean> {
    const { numDeletedRows } = await this.#db.deleteFrom('store').where('id', '=', id).executeTakeFirst()
    return numDeletedRows > 0n
  }
}
