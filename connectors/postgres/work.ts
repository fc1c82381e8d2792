import type { Background } from '@postern/base/background.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { Login } from './login.ts'
import type { Param } from './messages.ts'
import type { Pool } from './pool.ts'
import { type Doing, faultOfAbort, faultOfServer, ServerError } from './server-error.ts'
import { type Row, StatementRun } from './statement-run.ts'
import type { Wire } from './wire.ts'

export interface WorkParts {
  readonly pool: Pool
  readonly login: Login
  readonly place: string
  readonly background: Background
}

/** The connector's own statements: each on a connection of the pool, in a transaction, stopped in the database when the signal aborts. */
export class Work {
  readonly #parts: WorkParts

  constructor(parts: WorkParts) {
    this.#parts = parts
  }

  get place(): string {
    return this.#parts.place
  }

  /** One statement that only reads. */
  rows(doing: Doing, signal: AbortSignal, sql: string, params: readonly Param[] = []): Promise<readonly Row[]> {
    return this.read(doing, signal, async (wire) => (await StatementRun.one(wire, sql, params)).rows)
  }

  read<Result>(doing: Doing, signal: AbortSignal, use: (wire: Wire) => Promise<Result>): Promise<Result> {
    return this.transaction('begin isolation level repeatable read read only', doing, signal, use)
  }

  write<Result>(signal: AbortSignal, use: (wire: Wire) => Promise<Result>): Promise<Result> {
    return this.transaction('begin isolation level read committed read write', 'copy', signal, use)
  }

  async transaction<Result>(begin: string, doing: Doing, signal: AbortSignal, use: (wire: Wire) => Promise<Result>): Promise<Result> {
    const wire = await this.#parts.pool.acquire(signal)
    const result = await this.on(wire, doing, signal, async () => {
      await StatementRun.one(wire, begin)
      const used = await use(wire)
      await StatementRun.one(wire, 'commit')
      return used
    })
    this.#parts.pool.release(wire, true)
    return result
  }

  /** Runs `use` on the wire; when it fails, or the signal aborts, the wire is closed: the server rolls back. Its errors become faults. */
  async on<Result>(wire: Wire, doing: Doing, signal: AbortSignal, use: () => Promise<Result>): Promise<Result> {
    const aborted = () => this.stop(wire)
    signal.addEventListener('abort', aborted, { once: true })
    try {
      const result = await use()
      // `stop` has been called and takes the wire out of use.
      if (signal.aborted) throw signal.reason
      return result
    } catch (cause) {
      if (!signal.aborted) this.#parts.pool.release(wire, false)
      throw signal.aborted ? faultOfAbort(signal) : this.fault(cause, doing)
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

  fault(cause: unknown, doing: Doing): Fault {
    const { place } = this.#parts
    if (cause instanceof Fault) return cause
    if (cause instanceof ServerError) return faultOfServer(cause, doing, doing === 'connect' ? place : '')
    return new Fault('STORE_LOST', { at: `${place}: ${cause instanceof Error ? cause.message : String(cause)}`, cause })
  }
}
