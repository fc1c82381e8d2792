import type { GatewayId } from '@postern/protocol/ids.ts'
import type { Db } from '../db/database.ts'
import { json } from '../db/tables.ts'

export interface AuditEntry {
  /** Name of a person or token, or `node NAME`. */
  readonly who: string
  /** A token or a person: names may change hands, ids do not. */
  readonly whoId?: string | undefined
  /** What was done: "gateway.create". */
  readonly action: string
  /** To what: "gateway demo". */
  readonly target: string
  /** Whose record it is; the database finds it by the target, where that is still there. */
  readonly gatewayId?: GatewayId | undefined
  readonly ip: string | null
  /** `refused`: not allowed, or not who it claimed to be. `failed`: allowed, and not done. */
  readonly outcome?: 'done' | 'refused' | 'failed'
  /** Never a secret, never a row. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>>
}

/** Every change leaves a row here; rows are only added (a trigger sees to it). */
export class AuditLog {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  /** In the transaction of the change where there is one, so that neither is without the other. */
  async record(entry: AuditEntry, db: Db = this.#db): Promise<void> {
    await db.insertInto('audit').values(rowOf(entry)).execute()
  }

  /** What has happened before now, each with its time. */
  async recordAll(entries: readonly (AuditEntry & { readonly at: Date })[]): Promise<void> {
    if (entries.length === 0) return
    await this.#db
      .insertInto('audit')
      .values(entries.map((entry) => ({ ...rowOf(entry), at: entry.at })))
      .execute()
  }
}

function rowOf({ who, whoId, action, target, gatewayId, ip, outcome = 'done', details = {} }: AuditEntry) {
  return { who, who_id: whoId ?? null, action, target, gateway_id: gatewayId ?? null, ip, outcome, details: json(details) }
}
