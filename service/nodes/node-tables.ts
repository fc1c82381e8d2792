import type { NodeSettingsChange } from '@postern/protocol/api/gateways.ts'
import type { GatewayId, NodeId } from '@postern/protocol/ids.ts'
import type { Beat } from '@postern/protocol/node-api.ts'
import type { Generated } from 'kysely'
import type { Defaulted, Json } from '../db/tables.ts'

export interface NodeTables {
  authority: {
    one: Generated<boolean>
    certificate: string
    private_key: string
    created_at: Generated<Date>
  }
  node: {
    id: NodeId
    gateway_id: GatewayId
    name: string
    identity: string
    version: string
    enabled: Generated<boolean>
    draining: Generated<boolean>
    place: Generated<number>
    settings: Json<NodeSettingsChange>
    joined_at: Generated<Date>
    beat: Json<Beat> | null
    beat_at: Defaulted<Date | null>
    changed_at: Generated<Date>
  }
  node_deleted: {
    id: NodeId
    gateway_id: GatewayId
    name: string
    deleted_at: Generated<Date>
  }
  dispatcher_lease: {
    gateway_id: GatewayId
    node_id: NodeId | null
    epoch: number
    until: Date
  }
}
