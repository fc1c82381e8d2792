import type { Background } from '@postern/base/background.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { Pool } from '../pool.ts'
import type { Login } from './login.ts'
import type { Param } from './messages.ts'
import { type Doing, faultOfAbort, faultOfServer, ServerError } from './server-error.ts'
import { type Row, type Statement, StatementRun } from './statement-run.ts'
import type { Wire } from './wire.ts'

export interface WorkParts {
  readonly pool: Pool<Wire>
  readonly login: Login
  readonly place: string
  readonly background: Background
}

/** What a piece of work is for: it decides how a failure is told. */
export interface Aim {
  readonly doing: Doing
  /** In words: "table public.orders". */
  readonly about: string
}

export const BEGIN_READ: Statement = { sql: 'begin isolation level repeatable read read only' }
const BEGIN_WRITE: Statement = { sql: 'begin isolation level read committed read write' }
export const COMMIT: Statement = { sql: 'commit' }

/** Text that reads back the same everywhere, and no time-out of ours cut short by a role's setting. */
const SETTINGS = {
  TimeZone: 'UTC',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'iso_8601',
  bytea_output: 'hex',
  extra_float_digits: '1',
  // Amounts of money as two decimals at both ends, whatever the databases' currencies: what is stored stays the same.
  lc_monetary: 'C',
  xmloption: 'content',
  statement_timeout: '0',
  idle_in_transaction_session_timeout: '0',
}

/** Until the transaction ends; one statement for all of them. */
export function settingsOf(settings: Readonly<Record<string, string>>): Statement {
  const each = Object.entries(settings).map(([name, value]) => `set_config('${name}', '${value}', true)`)
  return { sql: `select ${each.join(', ')}` }
}

export const COPY_SETTINGS: Statement = settingsOf(SETTINGS)

/** The connector's own statements: each on a connection of the pool, in a transaction, stopped in the database when the signal aborts. */
export class Work {
  readonly #parts: WorkParts

  constructor(parts: WorkParts) {
    this.#parts = parts
  }

  get place(): string {
    return this.#parts.place
  }

  acquire(signal: AbortSignal): Promise<Wire> {
    return this.#parts.pool.acquire(signal)
  }

  release(wire: Wire, clean: boolean): void {
    this.#parts.pool.release(wire, clean)
  }

  /** Owned by the session: it waits for it when it is closed. */
  run(work: () => Promise<unknown>): void {
    this.#parts.background.run(work)
  }

  /** One statement that only reads. */
  async rows(aim: Aim, signal: AbortSignal, sql: string, params: readonly Param[] = []): Promise<readonly Row[]> {
    const [rows = []] = await this.ask(aim, signal, [{ sql, params }])
    return rows
  }

  /** Statements that only read and do not hang on each other's answers: one transaction, one round trip. The rows of each. */
  async ask(aim: Aim, signal: AbortSignal, statements: readonly Statement[]): Promise<readonly (readonly Row[])[]> {
    const wire = await this.acquire(signal)
    const answers = await this.guard(wire, aim, signal, () => {
      StatementRun.ahead(wire, [BEGIN_READ, COPY_SETTINGS])
      return StatementRun.each(wire, [...statements, COMMIT])
    })
    this.release(wire, true)
    return answers.slice(0, -1)
  }

  read<Result>(aim: Aim, signal: AbortSignal, use: (wire: Wire) => Promise<Result>): Promise<Result> {
    return this.#transaction(BEGIN_READ, aim, signal, use)
  }

  write<Result>(aim: Aim, signal: AbortSignal, use: (wire: Wire) => Promise<Result>): Promise<Result> {
    return this.#transaction(BEGIN_WRITE, aim, signal, use)
  }

  /** With the first statement that follows. */
  beginWrite(wire: Wire): void {
    StatementRun.ahead(wire, [BEGIN_WRITE, COPY_SETTINGS])
  }

  async #transaction<Result>(begin: Statement, aim: Aim, signal: AbortSignal, use: (wire: Wire) => Promise<Result>): Promise<Result> {
    const wire = await this.acquire(signal)
    const result = await this.guard(wire, aim, signal, async () => {
      StatementRun.ahead(wire, [begin, COPY_SETTINGS])
      const used = await use(wire)
      await StatementRun.all(wire, [COMMIT])
      return used
    })
    this.release(wire, true)
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
      if (!signal.aborted) this.release(wire, false)
      throw signal.aborted ? faultOfAbort(signal) : this.fault(cause, aim)
    } finally {
      signal.removeEventListener('abort', aborted)
    }
  }

  /** What runs on the wire ends in the database, and the wire with it. */
  stop(wire: Wire): void {
    const { background, login, pool } = this.#parts
    background.run(async () => {
      if (wire.alive) await login.cancel(wire)
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
