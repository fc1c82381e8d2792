import type { Background } from '@postern/base/background.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { faultOfAbort } from '../abort.ts'
import type { Pool } from '../pool.ts'
import type { Login } from './login.ts'
import { type Doing, faultOfServer, ServerError } from './server-error.ts'
import { type Row, StatementRun } from './statement-run.ts'
import type { Wire } from './wire.ts'

export interface WorkParts {
  readonly pool: Pool<Wire>
  readonly login: Login
  readonly place: string
  readonly database: string
  readonly background: Background
}

/** What a piece of work is for: it decides how a failure is told. */
export interface Aim {
  readonly doing: Doing
  /** In words: "table shop.orders". */
  readonly about: string
}

/** How long a server may wait for one of ours that is held back by its other end. */
const PATIENCE_SECONDS = 3_600
/** How long ours waits for a lock of others. */
const LOCK_SECONDS = 600

/**
 * What does not fit is refused and nothing is changed on the way; 0 stays 0 in a column that counts for itself. Dates of zeros are
 * MySQL's own values: a copy between two of its kind keeps them.
 */
function copySettings(wire: Wire): readonly string[] {
  const endless = wire.isMariadb ? 'max_statement_time = 0' : 'max_execution_time = 0'
  return [
    `set session sql_mode = 'STRICT_ALL_TABLES,STRICT_TRANS_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION',
       net_read_timeout = ${PATIENCE_SECONDS}, net_write_timeout = ${PATIENCE_SECONDS},
       lock_wait_timeout = ${LOCK_SECONDS}, innodb_lock_wait_timeout = ${LOCK_SECONDS}, ${endless}`,
    'set session transaction isolation level repeatable read',
  ]
}

/** The connector's own statements: each use on a connection of the pool, stopped in the database when the signal aborts. */
export class Work {
  readonly #parts: WorkParts

  constructor(parts: WorkParts) {
    this.#parts = parts
  }

  get place(): string {
    return this.#parts.place
  }

  get database(): string {
    return this.#parts.database
  }

  acquire(signal: AbortSignal): Promise<Wire> {
    return this.#parts.pool.acquire(signal)
  }

  /** Back into the pool, as it was after sign-in; whatever transaction is open is rolled back. */
  release(wire: Wire): void {
    const { background, pool } = this.#parts
    background.run(async () => {
      const clean = await StatementRun.reset(wire).then(
        () => true,
        () => false,
      )
      pool.release(wire, clean)
    })
  }

  drop(wire: Wire): void {
    this.#parts.pool.release(wire, false)
  }

  /** Owned by the session: it waits for it when it is closed. */
  run(work: () => Promise<unknown>): void {
    this.#parts.background.run(work)
  }

  rows(aim: Aim, signal: AbortSignal, sql: string): Promise<readonly Row[]> {
    return this.read(aim, signal, async (wire) => (await StatementRun.one(wire, sql)).rows)
  }

  /** In one transaction that only reads: all of it sees one moment. */
  read<Result>(aim: Aim, signal: AbortSignal, use: (wire: Wire) => Promise<Result>): Promise<Result> {
    return this.session(aim, signal, async (wire) => {
      await beginRead(wire)
      return use(wire)
    })
  }

  /** A session with the settings of copies, and no transaction yet. */
  async session<Result>(aim: Aim, signal: AbortSignal, use: (wire: Wire) => Promise<Result>): Promise<Result> {
    const wire = await this.acquire(signal)
    const result = await this.guard(wire, aim, signal, async () => {
      await prepareSession(wire)
      return use(wire)
    })
    this.release(wire)
    return result
  }

  /** Runs `use` on the wire; when it fails, or the signal aborts, the wire is closed: the server rolls back. Its errors become faults. */
  async guard<Result>(wire: Wire, aim: Aim, signal: AbortSignal, use: () => Promise<Result>): Promise<Result> {
    const aborted = () => this.stop(wire)
    signal.addEventListener('abort', aborted, { once: true })
    try {
      const result = await use()
      // `stop` has been called and takes the wire out of use.
      if (signal.aborted) throw signal.reason
      return result
    } catch (cause) {
      if (!signal.aborted) this.drop(wire)
      throw signal.aborted ? faultOfAbort(signal) : this.fault(cause, aim)
    } finally {
      signal.removeEventListener('abort', aborted)
    }
  }

  /** What runs on the wire ends in the database, and the wire with it. */
  stop(wire: Wire): void {
    const { background, login, pool } = this.#parts
    background.run(async () => {
      if (wire.alive) await login.kill(wire.facts.id)
      wire.destroy()
      pool.release(wire, false)
    })
  }

  fault(cause: unknown, { doing, about }: Aim): Fault {
    const { place } = this.#parts
    if (cause instanceof Fault) return cause
    if (cause instanceof ServerError) return faultOfServer(cause, doing, doing === 'connect' ? place : about)
    return new Fault('STORE_LOST', { at: `${place}: ${cause instanceof Error ? cause.message : String(cause)}`, cause })
  }
}

export async function prepareSession(wire: Wire): Promise<void> {
  await StatementRun.all(wire, copySettings(wire))
}

export async function beginRead(wire: Wire): Promise<void> {
  await StatementRun.one(wire, 'start transaction with consistent snapshot, read only')
}
