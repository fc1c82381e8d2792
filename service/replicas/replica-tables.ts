import type { ReplicaId } from '@postern/protocol/ids.ts'
import type { Defaulted } from '../db/tables.ts'

export interface ReplicaTables {
  replica: {
    id: ReplicaId
    url: string
    public_key: string | null
    seen_at: Defaulted<Date>
  }
}
