import type { ReplicaId } from '@postern/protocol/ids.ts'
import type { Generated } from 'kysely'
import type { Defaulted } from '../db/tables.ts'

export interface ReplicaTables {
  replica: {
    id: ReplicaId
    url: string
    seen_at: Defaulted<Date>
  }
  replica_secret: {
    one: Generated<boolean>
    secret: string
    created_at: Generated<Date>
  }
}
