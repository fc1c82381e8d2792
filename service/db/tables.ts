/** Every table of the service, merged from the nouns that own them. */
import type { ColumnType } from 'kysely'
import type { AuditTables } from '../audit/audit-tables.ts'
import type { GatewayTables } from '../gateways/gateway-tables.ts'
import type { NodeTables } from '../nodes/node-tables.ts'
import type { PeopleTables } from '../people/people-tables.ts'
import type { QueryTables } from '../queries/query-tables.ts'
import type { ReplicaTables } from '../replicas/replica-tables.ts'
import type { RightsTables } from '../rights/rights-tables.ts'
import type { RunTables } from '../runs/run-tables.ts'
import type { StoreTables } from '../stores/store-tables.ts'
import type { TokenTables } from '../tokens/token-tables.ts'

export interface Tables
  extends AuditTables,
    GatewayTables,
    NodeTables,
    PeopleTables,
    QueryTables,
    ReplicaTables,
    RightsTables,
    RunTables,
    StoreTables,
    TokenTables {}

/** A jsonb column: comes back parsed, goes in as `json(value)`. */
export type Json<T> = ColumnType<T, string, string>
/** Filled by the database where an insert leaves it out. */
export type Defaulted<T> = ColumnType<T, T | undefined, T>

export const json = (value: unknown): string => JSON.stringify(value)
