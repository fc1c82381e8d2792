/** Moments of tables that several sessions of this node share: parts of a copy that are read by them show one state (ADR-0015). */
import { randomUUID } from 'node:crypto'
import { Fault } from '@postern/protocol/fault.ts'
import type { Shape, Snapshot } from '../copy-contract.ts'
import { Gate } from '../gate.ts'
import type { SourceFacts } from './describe.ts'
import { lost, MOMENT_LIMITS, Moment } from './moment.ts'
import { quoteName } from './names.ts'
import { ServerError } from './server-error.ts'
import { StatementRun } from './statement-run.ts'
import type { Wire } from './wire.ts'
import { type Aim, beginRead, prepareSession, type Work } from './work.ts'

/** Others that write the table wait while the lock is waited for, so not for long: it is tried again. */
const LOCK_SECONDS = 5
/** The table has been altered since. */
const TABLE_CHANGED = 1412
const FORBIDDEN: ReadonlySet<number> = new Set([1044, 1045, 1142, 1143, 1227])

/** So many connections of the store there must be: one holds the lock while another begins, and a writer may need one. */
export const LEAST_CONNECTIONS = 3

export class Moments {
  readonly #work: Work
  readonly #held = new Map<string, Moment>()
  /** One at a time: two that each wait for the other's connections would wait for ever. */
  readonly #taking = new Gate(1)
  readonly #sessions: number
  readonly #most: number

  constructor(work: Work, maxConnections: number) {
    this.#work = work
    this.#sessions = Math.max(1, Math.floor((maxConnections - 1) / 3))
    this.#most = Math.max(this.#sessions, Math.floor(maxConnections / 2))
  }

  /** While the table is locked against writers nothing is committed to it: transactions that begin then see the same. */
  async take(shape: Shape, signal: AbortSignal): Promise<Snapshot> {
    const leave = await this.#taking.enter(signal)
    try {
      this.#refuseFull()
      const moment = await this.#take(shape, { doing: 'copy', about: shape.title }, signal)
      this.#held.set(moment.id, moment)
      return { id: moment.id, [Symbol.asyncDispose]: async () => this.#close(moment) }
    } finally {
      leave()
    }
  }

  /** A session that shows the moment; `leave` gives it back, `whole` when it is still in its transaction. */
  async enter(id: string, signal: AbortSignal): Promise<{ readonly wire: Wire; readonly leave: (whole: boolean) => void }> {
    const moment = this.#held.get(id)
    if (!moment) throw lost(id.slice(0, 80), 'it is not held by this node')
    const wire = await moment.enter(signal)
    let inside = true
    const leave = (whole: boolean) => {
      if (!inside) return
      inside = false
      moment.leave(wire, whole)
    }
    return { wire, leave }
  }

  async read<Result>(id: string, aim: Aim, signal: AbortSignal, use: (wire: Wire) => Promise<Result>): Promise<Result> {
    const { wire, leave } = await this.enter(id, signal)
    try {
      const result = await this.#work.guard(wire, aim, signal, () => use(wire))
      leave(true)
      return result
    } catch (cause) {
      leave(false)
      throw this.fault(cause, aim)
    }
  }

  /** Of what was read under a moment. */
  fault(cause: unknown, aim: Aim): Fault {
    const server = cause instanceof Fault ? cause.cause : cause
    if (server instanceof ServerError && server.number === TABLE_CHANGED) return lost(aim.about, 'the table was altered')
    return this.#work.fault(cause, aim)
  }

  close(): void {
    for (const moment of [...this.#held.values()]) this.#close(moment)
  }

  #close(moment: Moment): void {
    this.#held.delete(moment.id)
    moment.close()
  }

  #refuseFull(): void {
    const held = this.#held.values().reduce((sum, moment) => sum + moment.size, 0)
    if (held + this.#sessions <= this.#most) return
    throw new Fault('STORE_BUSY', {
      at: `${this.#work.place}: other copies hold ${held} sessions at a moment of theirs, and at most ${this.#most} may be held.`,
      remedy: 'It is tried again; raise maxConnections of the store to let more such copies run at a time.',
    })
  }

  async #take(shape: Shape, aim: Aim, signal: AbortSignal): Promise<Moment> {
    const work = this.#work
    const wires: Wire[] = []
    try {
      for (let i = 0; i < this.#sessions; i += 1) wires.push(await this.#prepared(aim, signal))
      await this.#whileLocked(shape, aim, signal, () => Promise.all(wires.map((wire) => beginRead(wire))))
    } catch (cause) {
      for (const wire of wires) work.drop(wire)
      throw cause
    }
    return new Moment(work, `mysql-${randomUUID()}`, wires)
  }

  async #prepared(aim: Aim, signal: AbortSignal): Promise<Wire> {
    const wire = await this.#work.acquire(signal)
    await this.#work.guard(wire, aim, signal, async () => {
      await prepareSession(wire)
      await StatementRun.one(wire, `set session wait_timeout = ${MOMENT_LIMITS.idleSeconds}`)
      const patient = 'set session idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0'
      if (wire.isMariadb) await StatementRun.one(wire, patient)
    })
    return wire
  }

  async #whileLocked(shape: Shape, aim: Aim, signal: AbortSignal, use: () => Promise<unknown>): Promise<void> {
    const work = this.#work
    const locker = await work.acquire(signal)
    await work.guard(locker, aim, signal, async () => {
      // Without autocommit InnoDB locks the table too, and waits for whoever has written to it and not committed.
      const seconds = `lock_wait_timeout = ${LOCK_SECONDS}, innodb_lock_wait_timeout = ${LOCK_SECONDS}`
      await StatementRun.one(locker, `set session autocommit = 0, innodb_table_locks = 1, ${seconds}`)
      await StatementRun.one(locker, `lock tables ${(shape.own as SourceFacts).from} read`).catch((cause: unknown) => {
        throw notLocked(cause, shape)
      })
      await use()
      await StatementRun.one(locker, 'unlock tables')
    })
    work.release(locker)
  }
}

function notLocked(cause: unknown, shape: Shape): unknown {
  if (!(cause instanceof ServerError)) return cause
  const { table } = shape.own as SourceFacts
  if (FORBIDDEN.has(cause.number)) {
    return new Fault('NOT_ALLOWED', {
      at: `consistent: ${shape.title} cannot be locked for the moment in which its readers begin: ${cause.message}`,
      remedy: `Run: grant lock tables on ${quoteName(table?.database ?? '')}.* to the user of the store; or copy in one part, without consistent.`,
      cause,
    })
  }
  if (cause.number !== 1205) return cause
  return new Fault('STORE_BUSY', {
    at: `consistent: a transaction that writes to ${shape.title} has not ended in ${LOCK_SECONDS} s, so the table could not be locked.`,
    remedy: 'It is tried again; nothing is needed if that transaction ends.',
    cause,
  })
}
