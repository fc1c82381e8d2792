import type { Background } from '@postern/base/background.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { Pool } from '../pool.ts'
import type { Login } from './login.ts'
import type { Param } from './messages.ts'
import { type Doing, faultOfAbort, faultOfServer, ServerError } from './server-error.ts'
import { type Row, StatementRun } from './statement-run.ts'
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

const BEGIN_READ = 'begin isolation level repeatable read read only'
const BEGIN_WRITE = 'begin isolation level read committed read write'

/** Text that reads back the same everywhere, and no time-out of ours cut short by a role's setting. */
export const COPY_SETTINGS: readonly { readonly sql: string }[] = [
  `set local "TimeZone" = 'UTC'`,
  `set local "DateStyle" = 'ISO, YMD'`,
  `set local "IntervalStyle" = 'iso_8601'`,
  `set local bytea_output = 'hex'`,
  `set local extra_float_digits = 1`,
  // Amounts of money as two decimals at both ends, whatever the databases' currencies: what is stored stays the same.
  `set local lc_monetary = 'C'`,
  `set local xmloption = 'content'`,
  `set local statement_timeout = 0`,
  `set local idle_in_transaction_session_timeout = 0`,
].map((sql) => ({ sql }))

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
  rows(aim: Aim, signal: AbortSignal, sql: string, params: readonly Param[] = []): Promise<readonly Row[]> {
    return this.read(aim, signal, async (wire) => (await StatementRun.one(wire, sql, params)).rows)
  }

  read<Result>(aim: Aim, signal: AbortSignal, use: (wire: Wire) => Promise<Result>): Promise<Result> {
    return this.#transaction(BEGIN_READ, aim, signal, use)
  }

  write<Result>(aim: Aim, signal: AbortSignal, use: (wire: Wire) => Promise<Result>): Promise<Result> {
    return this.#transaction(BEGIN_WRITE, aim, signal, use)
  }

  async #transaction<Result>(begin: string, aim: Aim, signal: AbortSignal, use: (wire: Wire) => Promise<Result>): Promise<Result> {
    const wire = await this.acquire(signal)
    const result = await this.guard(wire, aim, signal, async () => {
      await StatementRun.all(wire, [{ sql: begin }, ...COPY_SETTINGS])
      const used = await use(wire)
      await StatementRun.one(wire, 'commit')
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
