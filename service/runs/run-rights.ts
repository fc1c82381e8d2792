import type { Clock } from '@postern/base/clock.ts'
import type { Log } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { AuditLog } from '../audit/audit-log.ts'
import type { Db } from '../db/database.ts'
import type { Caller } from '../rights/caller.ts'
import type { Acting, ActingCallers } from './acting-callers.ts'
import { noteOf } from './run-moves.ts'
import { type ActingRun, RunRightsRepository } from './run-rights-repository.ts'
import type { RunService } from './run-service.ts'

/** A right that was withdrawn is seen so soon; nodes hear of it with their next beat. */
const LOOK_MS = 2_000

export interface RunRightsParts {
  readonly db: Db
  readonly runs: Pick<RunService, 'onRun'>
  readonly acting: Pick<ActingCallers, 'find'>
  readonly audit: AuditLog
  readonly clock: Clock
  readonly log: Log
}

/**
 * A copy goes on after the request that began it, but not after the rights that it was begun with: whoever started it, or ran it again
 * last, must still be there and may still copy from and to its stores. Else it is cancelled, and says why.
 */
export class RunRights {
  readonly #parts: RunRightsParts
  readonly #runs: RunRightsRepository
  #lookAt = Number.NEGATIVE_INFINITY

  constructor(parts: RunRightsParts) {
    this.#parts = parts
    this.#runs = new RunRightsRepository(parts.db)
  }

  /** Every two seconds, however often it is called. While the database is away nothing can be withdrawn either. */
  async look(): Promise<void> {
    const { clock } = this.#parts
    if (clock.monotonic() < this.#lookAt) return
    this.#lookAt = clock.monotonic() + LOOK_MS
    // Of many runs most are of few: each is asked about once.
    const known = new Map<string, Promise<Caller | string>>()
    for (const run of await this.#runs.active()) {
      const key = `${run.acting.principal} ${run.acting.token}`
      const asked = known.get(key) ?? this.#parts.acting.find(run.acting)
      known.set(key, asked)
      const why = whyNot(await asked, run)
      if (why !== undefined) await this.#end(run, why)
    }
  }

  async #end({ id, name, gatewayId, acting }: ActingRun, why: string): Promise<void> {
    const { runs, audit, log } = this.#parts
    const fault = new Fault('RIGHTS_WITHDRAWN', { at: why })
    const ended = await runs.onRun(id, gatewayId, async (moves) => {
      if (!(await new RunRightsRepository(moves.db).actsFor(id, acting))) return false
      if (!(await moves.cancel(noteOf(fault)))) return false
      const details = { name, actingFor: acting.name, code: fault.code, why }
      await audit.record({ who: 'service', action: 'run.cancel', target: `run ${id}`, ip: null, details }, moves.db)
      return true
    })
    if (ended) log.info({ run: id, actingFor: acting.name, why }, 'run cancelled: its rights were withdrawn')
  }
}

/** In words; undefined where it may go on. Pure. */
export function whyNot(caller: Caller | string, { stores, acting }: { readonly stores: ActingRun['stores']; readonly acting: Acting }) {
  if (typeof caller === 'string') return caller
  const lost = stores.find(({ id, gatewayId }) => !caller.may('runs:write', { store: id, gateway: gatewayId }))
  return lost && `${acting.name} has not got runs:write on store ${lost.name} any more.`
}
