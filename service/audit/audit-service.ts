import type { AuditFilter, AuditFormat, AuditSettings } from '@postern/protocol/api/audit.ts'
import type { Kysely } from 'kysely'
import type { Tables } from '../db/tables.ts'
import type { Actor, By } from '../rights/actor.ts'
import { type Caller, notAllowed } from '../rights/caller.ts'
import type { Where } from '../rights/rights.ts'
import { headOf, lineOf } from './audit-export.ts'
import type { AuditLog } from './audit-log.ts'
import type { AuditNotes } from './audit-notes.ts'
import type { AuditPage, AuditPlace, AuditRepository, AuditRow } from './audit-repository.ts'

/** Rows that are in memory at a time. */
const EXPORT_ROWS = 1_000

export interface AuditServiceParts {
  readonly db: Kysely<Tables>
  readonly audit: AuditLog
  readonly notes: Pick<AuditNotes, 'flush'>
  readonly rows: AuditRepository
  /** Of queries, which are written a moment after they have ended. */
  readonly queries: { flush(): Promise<void> }
}

/** The audit as people read it: page by page, or all of it as a file. */
export class AuditService {
  readonly #parts: AuditServiceParts

  constructor(parts: AuditServiceParts) {
    this.#parts = parts
  }

  /** Newest first, of the gateways where the caller may. Fails with NOT_ALLOWED where that is none. */
  async page(filter: AuditFilter, place: AuditPlace | undefined, count: number, caller: Caller): Promise<AuditRow[]> {
    const sees = seenBy(caller)
    await this.#settle()
    return await this.#parts.rows.page({ filter, sees, place, count, order: 'newest' })
  }

  /** Oldest first, read as fast as it is taken. Fails with NOT_ALLOWED, before the first line. */
  export(filter: AuditFilter, format: AuditFormat, { caller, actor }: By): AsyncGenerator<string> {
    return this.#lines({ filter, sees: seenBy(caller) }, format, actor)
  }

  /** That it was exported is in the audit too, before the first line. */
  async *#lines({ filter, sees }: Pick<AuditPage, 'filter' | 'sees'>, format: AuditFormat, actor: Actor): AsyncGenerator<string> {
    const { audit, rows } = this.#parts
    await this.#settle()
    const details = { format, since: filter.since ?? null, until: filter.until ?? null, queries: filter.queries }
    await audit.record({ ...actor, action: 'audit.export', target: 'audit', details })
    yield headOf(format)
    for (let place: AuditPlace | undefined; ; ) {
      const found: AuditRow[] = await rows.page({ filter, sees, place, count: EXPORT_ROWS, order: 'oldest' })
      if (found.length > 0) yield found.map((row) => lineOf(row, format)).join('')
      place = found.at(-1)
      if (found.length < EXPORT_ROWS) return
    }
  }

  async settings(): Promise<AuditSettings> {
    return await this.#parts.rows.settings()
  }

  async set({ keepDays }: AuditSettings, actor: Actor): Promise<AuditSettings> {
    const { db, audit, rows } = this.#parts
    await db.transaction().execute(async (transaction) => {
      await rows.set(keepDays, transaction)
      await audit.record({ ...actor, action: 'audit.set', target: 'audit', details: { keepDays } }, transaction)
    })
    return await this.settings()
  }

  async #settle(): Promise<void> {
    await Promise.all([this.#parts.notes.flush(), this.#parts.queries.flush()])
  }
}

/** What was done to what is of no gateway, such as people and tokens, is seen only by who may on the whole service. */
function seenBy(caller: Caller): readonly Where[] {
  const sees = caller.sees('audit:read')
  if (sees.some(({ gateways }) => gateways.length === 0)) throw notAllowed(caller, 'audit:read')
  return sees
}
