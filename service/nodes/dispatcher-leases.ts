import type { GatewayId, NodeId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { sql } from 'kysely'
import type { Db } from '../db/database.ts'

export interface Lease {
  readonly node: NodeId | null
  readonly epoch: number
  readonly leftMs: number
}

/**
 * Who dispatches in a gateway. One row each; time is the database's, because replicas' clocks differ.
 *
 *   free ── take (epoch + 1) ──► held ── renew ──► held
 *     ▲                            │
 *     └── release, or `until` passes
 */
export class DispatcherLeases {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  async current(gatewayId: GatewayId): Promise<Lease> {
    const { rows } = await sql<Lease>`
      select case when until > now() then node_id end as node, epoch,
             greatest(0, extract(epoch from until - now()) * 1000)::float8 as "leftMs"
        from dispatcher_lease
       where gateway_id = ${gatewayId}`.execute(this.#db)
    return rows[0] ?? { node: null, epoch: 0, leftMs: 0 }
  }

  /** Takes a free or expired lease, or renews one's own. Undefined when another node holds it. */
  async take(gatewayId: GatewayId, nodeId: NodeId): Promise<Lease | undefined> {
    return (await this.takeAll([{ gatewayId, nodeId }]))[0]
  }

  /** `take` for many gateways at once, each named once; those that another node holds are left out. */
  async takeAll(
    wanted: readonly { readonly gatewayId: GatewayId; readonly nodeId: NodeId }[],
  ): Promise<(Lease & { gatewayId: GatewayId })[]> {
    // In one order, or two replicas could wait for each other's rows.
    const sorted = wanted.toSorted((a, b) => (a.gatewayId < b.gatewayId ? -1 : 1))
    const { rows } = await sql<Lease & { gatewayId: GatewayId }>`
      insert into dispatcher_lease as l (gateway_id, node_id, epoch, until)
           select gateway.id, wanted.node_id, 1, now() + ${LIMITS.leaseMs} * interval '1 millisecond'
             from unnest(${sorted.map(({ gatewayId }) => gatewayId)}::text[], ${sorted.map(({ nodeId }) => nodeId)}::text[])
                  with ordinality as wanted (gateway_id, node_id, n)
             join gateway on gateway.id = wanted.gateway_id
         order by wanted.n
      on conflict (gateway_id) do update
              set node_id = excluded.node_id,
                  until   = excluded.until,
                  epoch   = l.epoch + (l.node_id is distinct from excluded.node_id or l.until < now())::int
            where l.node_id = excluded.node_id or l.node_id is null or l.until < now()
        returning gateway_id as "gatewayId", node_id as node, epoch, ${LIMITS.leaseMs}::float8 as "leftMs"`.execute(this.#db)
    return rows
  }

  /** Frees the lease at once if this node holds it. True when it did. */
  async release(gatewayId: GatewayId, nodeId: NodeId): Promise<boolean> {
    const { numAffectedRows } = await sql`
      update dispatcher_lease
         set node_id = null, until = now()
       where gateway_id = ${gatewayId} and node_id = ${nodeId}`.execute(this.#db)
    return (numAffectedRows ?? 0n) > 0n
  }
}
