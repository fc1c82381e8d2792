import type { NodeSettingsChange, NodeSettingsPatch, SettingsChange } from '@postern/protocol/api/gateways.ts'
import type { GatewayId, NodeId } from '@postern/protocol/ids.ts'
import type { Beat } from '@postern/protocol/node-api.ts'
import { sql } from 'kysely'
import type { Db } from '../db/database.ts'
import { json } from '../db/tables.ts'

export interface GatewayRow {
  readonly id: GatewayId
  readonly name: string
  readonly settings: SettingsChange
  readonly publicKey: string | null
  readonly storesVersion: number
  /** Since when there is a recovery key. */
  readonly recoveryKeyAt: Date | null
  readonly createdAt: Date
}

export interface NodeRow {
  readonly id: NodeId
  readonly gatewayId: GatewayId
  readonly name: string
  readonly identity: string
  readonly version: string
  readonly enabled: boolean
  readonly draining: boolean
  readonly place: number
  readonly settings: NodeSettingsChange
  readonly joinedAt: Date
  /** Null before the first one and after a goodbye, which leaves `beatAt`. */
  readonly beat: Beat | null
  readonly beatAt: Date | null
  /** By the database's clock. */
  readonly beatAgeMs: number | null
}

/** What is read: all, or what can be new to who read all lately. */
export interface DirectoryQuery {
  readonly all: boolean
  /** Of these the beats are wanted too: nobody here has heard them. */
  readonly silent: readonly NodeId[]
}

interface Stamped {
  /** Names this state of the row, apart from the beat. */
  readonly stamp: string
}

export interface DirectoryRows {
  /** How many there are: where they differ from what is known, something was deleted. */
  readonly counts: { readonly gateways: number; readonly nodes: number }
  readonly gateways: readonly (GatewayRow & Stamped)[]
  readonly nodes: readonly (NodeRow & Stamped)[]
  readonly leases: readonly {
    readonly gatewayId: GatewayId
    readonly node: NodeId | null
    readonly epoch: number
    readonly leftMs: number
  }[]
}

/** Longer than our transactions on these rows last: what one writes at its beginning is seen at its end. All is read each half minute in any case. */
const LATELY = sql`interval '5 seconds'`
const HEARD_LATELY = sql`interval '10 seconds'`

const NODE_COLUMNS = [
  'id',
  'gateway_id as gatewayId',
  'name',
  'identity',
  'version',
  'enabled',
  'draining',
  'place',
  'settings',
  'joined_at as joinedAt',
  'beat',
  'beat_at as beatAt',
] as const
const beatAgeMs = sql<number | null>`(extract(epoch from now() - beat_at) * 1000)::float8`.as('beatAgeMs')

const stamp = sql<string>`changed_at::text`.as('stamp')

/** All the SQL of nodes. */
export class NodeRepository {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  async load({ all, silent }: DirectoryQuery): Promise<DirectoryRows> {
    const gateways = this.#db
      .selectFrom('gateway')
      .select([
        'id',
        'name',
        'settings',
        'public_key as publicKey',
        'stores_version as storesVersion',
        'recovery_key_at as recoveryKeyAt',
        'created_at as createdAt',
      ])
      .select(stamp)
      .orderBy('created_at')
    const nodes = this.#db.selectFrom('node').select(NODE_COLUMNS).select([beatAgeMs, stamp]).orderBy('place')
    const leases = this.#db
      .selectFrom('dispatcher_lease')
      .select(['gateway_id as gatewayId', 'node_id as node', 'epoch'])
      .select(sql<number>`greatest(0, extract(epoch from until - now()) * 1000)::float8`.as('leftMs'))
    const lately = sql<Date>`now() - ${LATELY}`
    const [gatewayRows, nodeRows, silentRows, leaseRows, counts] = await Promise.all([
      (all ? gateways : gateways.where('changed_at', '>', lately)).execute(),
      (all ? nodes : nodes.where('changed_at', '>', lately)).execute(),
      all || silent.length === 0 ? [] : nodes.where('id', 'in', silent).where('beat_at', '>', sql<Date>`now() - ${HEARD_LATELY}`).execute(),
      (all ? leases : leases.where('until', '>', lately)).execute(),
      sql<DirectoryRows['counts']>`
        select (select count(*) from gateway) as gateways, (select count(*) from node) as nodes`.execute(this.#db),
    ])
    const known = new Set(nodeRows.map(({ id }) => id))
    return {
      counts: counts.rows[0] ?? { gateways: 0, nodes: 0 },
      gateways: gatewayRows,
      nodes: [...nodeRows, ...silentRows.filter(({ id }) => !known.has(id))],
      leases: leaseRows,
    }
  }

  async find(id: NodeId): Promise<NodeRow | undefined> {
    return await this.#db.selectFrom('node').select(NODE_COLUMNS).select(beatAgeMs).where('id', '=', id).executeTakeFirst()
  }

  async findByName(gatewayId: GatewayId, name: string): Promise<NodeRow | undefined> {
    return await this.#db
      .selectFrom('node')
      .select(NODE_COLUMNS)
      .select(beatAgeMs)
      .where('gateway_id', '=', gatewayId)
      .where('name', '=', name)
      .executeTakeFirst()
  }

  async add(node: Pick<NodeRow, 'id' | 'gatewayId' | 'name' | 'identity' | 'version'>): Promise<NodeRow> {
    return await this.#db
      .insertInto('node')
      .values({
        id: node.id,
        gateway_id: node.gatewayId,
        name: node.name,
        identity: node.identity,
        version: node.version,
        settings: json({}),
      })
      .returning(NODE_COLUMNS)
      .returning(beatAgeMs)
      .executeTakeFirstOrThrow()
  }

  async findByIdentity(gatewayId: GatewayId, identity: string): Promise<NodeRow | undefined> {
    return await this.#db
      .selectFrom('node')
      .select(NODE_COLUMNS)
      .select(beatAgeMs)
      .where('gateway_id', '=', gatewayId)
      .where('identity', '=', identity)
      .executeTakeFirst()
  }

  /** Takes the place of a ghost: its id, settings and order of preference stay. */
  async rejoin(id: NodeId, node: Pick<NodeRow, 'name' | 'identity' | 'version'>): Promise<NodeRow> {
    const { name, identity, version } = node
    return await this.#db
      .updateTable('node')
      .set({ name, identity, version, joined_at: sql`now()`, beat: null, beat_at: null, draining: false })
      .where('id', '=', id)
      .returning(NODE_COLUMNS)
      .returning(beatAgeMs)
      .executeTakeFirstOrThrow()
  }

  /** Settings that are not named stay; null takes one back to the gateway's. */
  async change(
    id: NodeId,
    change: { readonly name?: string; readonly enabled?: boolean; readonly draining?: boolean; readonly settings?: NodeSettingsPatch },
  ): Promise<NodeRow | undefined> {
    const { settings, ...plain } = change
    return await this.#db
      .updateTable('node')
      .set({ ...plain, ...(settings ? { settings: sql`jsonb_strip_nulls(settings || ${json(settings)}::jsonb)` } : {}) })
      .where('id', '=', id)
      .returning(NODE_COLUMNS)
      .returning(beatAgeMs)
      .executeTakeFirst()
  }

  /** Returns the nodes that there are. Locked in one order: two replicas may have heard the same ones. */
  async keepBeats(beats: readonly (readonly [NodeId, Beat])[]): Promise<NodeId[]> {
    const ids = beats.map(([id]) => id)
    const texts = beats.map(([, beat]) => JSON.stringify(beat))
    const { rows } = await sql<{ id: NodeId }>`
      with held as materialized (select id from node where id = any(${ids}::text[]) order by id for no key update)
      update node
         set beat = heard.beat::jsonb, beat_at = now(), version = heard.beat::jsonb ->> 'version'
        from held
        join unnest(${ids}::text[], ${texts}::text[]) as heard (id, beat) on heard.id = held.id
       where node.id = held.id
   returning node.id`.execute(this.#db)
    return rows.map(({ id }) => id)
  }

  /** No beat any more, but when the last one was stays: expiry counts from there. */
  async keepGoodbye(id: NodeId): Promise<void> {
    await this.#db.updateTable('node').set({ beat: null, beat_at: sql`now()` }).where('id', '=', id).execute()
  }

  /** Nodes that have been silent for longer than their setting `nodeExpirySeconds` says. */
  async expired(limits: readonly { readonly id: NodeId; readonly seconds: number }[]): Promise<NodeId[]> {
    const { rows } = await sql<{ id: NodeId }>`
      select node.id
        from node
        join jsonb_to_recordset(${json(limits)}::jsonb) as wanted (id text, seconds bigint) on wanted.id = node.id
       where coalesce(beat_at, joined_at) < now() - wanted.seconds * interval '1 second'`.execute(this.#db)
    return rows.map(({ id }) => id)
  }

  async delete(id: NodeId): Promise<boolean> {
    const gone = await this.#db.deleteFrom('node').where('id', '=', id).returning(['id', 'gateway_id', 'name']).executeTakeFirst()
    if (!gone) return false
    await this.#db
      .insertInto('node_deleted')
      .values(gone)
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute()
    return true
  }

  async wasDeleted(id: NodeId): Promise<boolean> {
    return (await this.#db.selectFrom('node_deleted').select('id').where('id', '=', id).executeTakeFirst()) !== undefined
  }

  /** Compare-and-set: the first node to offer one wins; everybody gets what is so. */
  async offerGatewayKey(gatewayId: GatewayId, publicKey: string): Promise<GatewayRow | undefined> {
    await this.#db
      .updateTable('gateway')
      .set({ public_key: publicKey })
      .where('id', '=', gatewayId)
      .where('public_key', 'is', null)
      .execute()
    return await this.#db
      .selectFrom('gateway')
      .select([
        'id',
        'name',
        'settings',
        'public_key as publicKey',
        'stores_version as storesVersion',
        'recovery_key_at as recoveryKeyAt',
        'created_at as createdAt',
      ])
      .where('id', '=', gatewayId)
      .executeTakeFirst()
  }
}
