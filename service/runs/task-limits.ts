import type { Clock } from '@postern/base/clock.ts'
import type { RunId } from '@postern/protocol/ids.ts'
import type { TaskLimits } from '@postern/protocol/task-api.ts'
import { sql } from 'kysely'
import type { Db } from '../db/database.ts'

/** What is known of a run is taken for so long. */
const FRESH_MS = 500
/** A run that nothing bounds is looked at again only now and then: the limit of a store can be set while it goes on. */
const UNBOUND_MS = 2_000
const MOST_RUNS = 10_000

/** One that bounds, and over how many parts that move it is spread. */
export interface SharedLimit {
  readonly rowsPerSecond: number | null
  readonly bytesPerSecond: number | null
  readonly parts: number
}

/** The share of one part in what a run and its two stores allow: pure. */
export function shareOf(bounds: readonly SharedLimit[]): TaskLimits {
  const least = (name: 'rowsPerSecond' | 'bytesPerSecond') => {
    const shares = bounds.flatMap((bound) => (bound[name] === null ? [] : [bound[name] / Math.max(1, bound.parts)]))
    return shares.length === 0 ? undefined : Math.min(...shares)
  }
  const rowsPerSecond = least('rowsPerSecond')
  const bytesPerSecond = least('bytesPerSecond')
  return { ...(rowsPerSecond === undefined ? {} : { rowsPerSecond }), ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }) }
}

interface Seen {
  readonly limits: TaskLimits
  readonly until: number
}

/**
 * What each part of a run may move now. Equal shares: what one part leaves unused, another does not get. When the number of parts
 * that move changes, each hears of it with its next report (5 a second) and at the latest FRESH_MS after.
 */
export class TaskLimitBook {
  readonly #db: Db
  readonly #clock: Clock
  readonly #seen = new Map<RunId, Seen>()

  constructor(db: Db, clock: Clock) {
    this.#db = db
    this.#clock = clock
  }

  async ofRun(run: RunId): Promise<TaskLimits> {
    const now = this.#clock.monotonic()
    const seen = this.#seen.get(run)
    if (seen && now < seen.until) return seen.limits
    const limits = shareOf(await this.#ask(run))
    const bound = limits.rowsPerSecond !== undefined || limits.bytesPerSecond !== undefined
    if (this.#seen.size >= MOST_RUNS) this.#seen.clear()
    this.#seen.set(run, { limits, until: now + (bound ? FRESH_MS : UNBOUND_MS) })
    return limits
  }

  /** Parts of it were just handed out. */
  forget(run: RunId): void {
    this.#seen.delete(run)
  }

  async #ask(run: RunId): Promise<readonly SharedLimit[]> {
    const { rows } = await sql<SharedLimit>`
      with moving as materialized (
        select t.run_id, o.source_id, o.sink_id
          from task as t join run as o on o.id = t.run_id
         where t.status = 'running' and t.kind = 'part'
      )
      select (r.copy->>'rowsPerSecond')::float8 as "rowsPerSecond", (r.copy->>'bytesPerSecond')::float8 as "bytesPerSecond",
             (select count(*) from moving where run_id = r.id) as parts
        from run as r
       where r.id = ${run}
      union all
      select (s.limits->>'rowsPerSecond')::float8, (s.limits->>'bytesPerSecond')::float8,
             (select count(*) from moving where source_id = s.id or sink_id = s.id)
        from run as r join store as s on s.id in (r.source_id, r.sink_id)
       where r.id = ${run}`.execute(this.#db)
    return rows
  }
}
