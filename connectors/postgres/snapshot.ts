import { Fault } from '@postern/protocol/fault.ts'
import type { Snapshot } from '../copy-contract.ts'
import { ServerError } from './server-error.ts'
import { StatementRun } from './statement-run.ts'
import type { Wire } from './wire.ts'
import { BEGIN_READ, COPY_SETTINGS, settingsOf, type Work } from './work.ts'

const SNAPSHOT_ID = /^[0-9A-Fa-f]{1,16}-[0-9A-Fa-f]{1,16}-\d{1,10}$/

/** Under a snapshot that another connection holds, or one of its own; with the first statement that follows. */
export function beginRead(wire: Wire, snapshot: string | null): void {
  if (snapshot === null) {
    StatementRun.ahead(wire, [BEGIN_READ, COPY_SETTINGS])
    return
  }
  if (!SNAPSHOT_ID.test(snapshot)) throw new Fault('SNAPSHOT_LOST', { at: 'The name of the snapshot is not one of PostgreSQL.' })
  StatementRun.ahead(wire, [BEGIN_READ, { sql: `set transaction snapshot '${snapshot}'` }, COPY_SETTINGS])
}

/** What that first statement failed by: the snapshot, where it is gone. */
export function causeUnder(wire: Wire, snapshot: string | null, cause: unknown): unknown {
  const lost = snapshot !== null && wire.failedAhead && cause instanceof ServerError && ['22023', '42704', '55000'].includes(cause.code)
  return lost ? new Fault('SNAPSHOT_LOST', { at: `snapshot ${snapshot}`, cause }) : cause
}

/**
 * An open snapshot keeps the source from clearing old rows away, so it must not outlive its node. A node that is killed closes its
 * connection; one that hangs, or whose machine is gone, does not: then the server ends the transaction itself once it has not heard
 * of it for `idleMs`, and finds a dead connection by its own probes.
 */
export const SNAPSHOT_LIMITS = { idleMs: 60_000, beatMs: 15_000 } as const

const GUARDS = settingsOf({
  idle_in_transaction_session_timeout: String(SNAPSHOT_LIMITS.idleMs),
  tcp_keepalives_idle: '15',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '4',
})

export async function exportSnapshot(work: Work, signal: AbortSignal): Promise<Snapshot> {
  const wire = await work.acquire(signal)
  return work.guard(wire, { doing: 'copy', about: 'snapshot' }, signal, async () => {
    beginRead(wire, null)
    StatementRun.ahead(wire, [GUARDS])
    const [row] = (await StatementRun.one(wire, 'select pg_export_snapshot()')).rows
    return new HeldSnapshot(work, wire, row?.[0] ?? '')
  })
}

class HeldSnapshot implements Snapshot {
  readonly id: string
  readonly #work: Work
  readonly #wire: Wire
  readonly #beats: NodeJS.Timeout
  #beating: Promise<unknown> = Promise.resolve()
  #open = true

  constructor(work: Work, wire: Wire, id: string) {
    this.#work = work
    this.#wire = wire
    this.id = id
    this.#beats = setInterval(() => this.#beat(), SNAPSHOT_LIMITS.beatMs).unref()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return
    this.#open = false
    clearInterval(this.#beats)
    await this.#beating
    const ended = this.#wire.alive && (await succeeds(StatementRun.one(this.#wire, 'commit')))
    this.#work.release(this.#wire, ended)
  }

  /** One at a time: a server that is slow to answer is not asked again. */
  #beat(): void {
    if (!this.#wire.alive || this.#wire.busy) return
    this.#beating = succeeds(StatementRun.one(this.#wire, 'select 1'))
  }
}

function succeeds(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  )
}
