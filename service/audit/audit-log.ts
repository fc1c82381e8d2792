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
  readonly ip: string | null
  /** `refused`: not allowed, or not who it claimed to be. `failed`: allowed, and not done. */
  readonly outcome?: 'done' | 'refused' | 'failed'
  /** Never a secret, never a row. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>>
}

export interface AuditRow extends Required<AuditEntry> {
  readonly id: number
  readonly at: Date
}

/** Every change leaves a row here; rows are only added. */
export class AuditLog {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  /** In the transaction of the change where there is one, so that neither is without the other. */
  async record(entry: AuditEntry, db: Db = this.#db): Promise<void> {
    const { who, whoId = null, action, target, ip, outcome = 'done', details = {} } = entry
    await db
      .insertInto('audit')
      .values({ who, who_id: whoId, action, target, ip, outcome, details: json(details) })
      .execute()
  }

  /** Newest first. */
  async page(before: number | undefined, count: number): Promise<AuditRow[]> {
    let query = this.#db
      .selectFrom('audit')
      .select(['id', 'at', 'who', 'action', 'target', 'ip', 'details'])
      .orderBy('id', 'desc')
      .limit(count)
    if (before !== undefined) query = query.where('id', '<', before)
    return (await query.execute()) as AuditRow[]
  }
}
