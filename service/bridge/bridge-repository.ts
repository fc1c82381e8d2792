import type { BridgeAsked } from '@postern/protocol/bridge.ts'
import type { GatewayId, NodeId, StoreId } from '@postern/protocol/ids.ts'
import { sql } from 'kysely'
import type { Db } from '../db/database.ts'

export interface BridgedSource {
  readonly id: StoreId
  readonly name: string
  readonly version: number
  readonly gatewayId: GatewayId
  /** What the run was asked to read. */
  readonly from: string
}

export class BridgeRepository {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  /** The source that this attempt reads, if it runs on a node of this one's gateway and another gateway has it. Who works says so only a moment after it has begun. */
  async sourceOf({ run, task, attempt }: Omit<BridgeAsked, 'sealed'>, node: NodeId): Promise<BridgedSource | undefined> {
    const { rows } = await sql<BridgedSource>`
      select store.id, store.name, store.version, store.gateway_id as "gatewayId", r.copy->>'from' as "from"
        from attempt as a
        join task as t on t.id = a.task_id and t.attempt = a.number
        join run as r on r.id = t.run_id
        join store on store.id = r.source_id
       where a.task_id = ${task} and a.number = ${attempt} and coalesce(r.target_run, r.id) = ${run}
         and (a.node_id = ${node} or a.status = 'dispatched' and t.gateway_id = (select gateway_id from node where id = ${node}))
         and a.status in ('dispatched', 'running')
         and store.gateway_id <> t.gateway_id`.execute(this.#db)
    return rows[0]
  }
}
