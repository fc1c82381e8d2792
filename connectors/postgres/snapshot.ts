import { Fault } from '@postern/protocol/fault.ts'
import type { Snapshot } from '../copy-contract.ts'
import { ServerError } from './server-error.ts'
import { StatementRun } from './statement-run.ts'
import type { Wire } from './wire.ts'
import { COPY_SETTINGS, type Work } from './work.ts'

const SNAPSHOT_ID = /^[0-9A-Fa-f]{1,16}-[0-9A-Fa-f]{1,16}-\d{1,10}$/

/** Under a snapshot that another connection holds, or one of its own. */
export async function beginRead(wire: Wire, snapshot: string | null): Promise<void> {
  const begin = { sql: 'begin isolation level repeatable read read only' }
  if (snapshot === null) {
    await StatementRun.all(wire, [begin, ...COPY_SETTINGS])
    return
  }
  if (!SNAPSHOT_ID.test(snapshot)) throw new Fault('SNAPSHOT_LOST', { at: 'The name of the snapshot is not one of PostgreSQL.' })
  try {
    await StatementRun.all(wire, [begin, { sql: `set transaction snapshot '${snapshot}'` }])
  } catch (cause) {
    if (cause instanceof ServerError && ['22023', '42704', '55000'].includes(cause.code)) {
      throw new Fault('SNAPSHOT_LOST', { at: `snapshot ${snapshot}`, cause })
    }
    throw cause
  }
  await StatementRun.all(wire, COPY_SETTINGS)
}

/**
 * An open snapshot keeps the source from clearing old rows away, so it must not outlive its node. A node that is killed closes its
 * connection; one that hangs, or whose machine is gone, does not: then the server ends the transaction itself once it has not heard
 * of it for `idleMs`, and finds a dead connection by its own probes.
 */
export const SNAPSHOT_LIMITS = { idleMs: 60_000, beatMs: 15_000 } as const

const GUARDS = [
  `set local idle_in_transaction_session_timeout = ${SNAPSHOT_LIMITS.idleMs}`,
  'set local tcp_keepalives_idle = 15',
  'set local tcp_keepalives_interval = 5',
  'set local tcp_keepalives_count = 4',
].map((sql) => ({ sql }))

export async function exportSnapshot(work: Work, signal: AbortSignal): Promise<Snapshot> {
  const wire = await work.acquire(signal)
  return work.guard(wire, { doing: 'copy', about: 'snapshot' }, signal, async () => {
    await beginRead(wire, null)
    await StatementRun.all(wire, GUARDS)
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
