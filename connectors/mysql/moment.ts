import { Fault } from '@postern/protocol/fault.ts'
import { faultOfAbort } from '../abort.ts'
import { StatementRun } from './statement-run.ts'
import type { Wire } from './wire.ts'
import type { Work } from './work.ts'

/**
 * An open moment keeps the server from clearing old rows away, so it must not outlive its node. A killed node closes its connections; of
 * one that hangs the server ends them itself, once it has not heard of them for `idleSeconds`.
 */
export const MOMENT_LIMITS = { idleSeconds: 60, beatMs: 15_000 } as const

export function lost(id: string, why: string): Fault {
  return new Fault('SNAPSHOT_LOST', { at: `${id}: ${why}` })
}

interface Waiter {
  take(wire: Wire): void
  fail(cause: unknown): void
}

/** Sessions whose transactions began at one moment: each reads one thing at a time, and shows that moment until all are closed. */
export class Moment {
  readonly id: string
  readonly #work: Work
  readonly #free: Wire[]
  readonly #waiting: Waiter[] = []
  readonly #beats: NodeJS.Timeout
  #left: number
  #closed = false

  constructor(work: Work, id: string, wires: readonly Wire[]) {
    this.id = id
    this.#work = work
    this.#free = [...wires]
    this.#left = wires.length
    this.#beats = setInterval(() => this.#beat(), MOMENT_LIMITS.beatMs).unref()
  }

  /** Sessions that there still are, also those that are in use. */
  get size(): number {
    return this.#left
  }

  /** One of the sessions, for as long as `leave` is not called. */
  enter(signal: AbortSignal): Promise<Wire> {
    if (signal.aborted) return Promise.reject(faultOfAbort(signal))
    for (let wire = this.#free.pop(); wire; wire = this.#free.pop()) {
      if (wire.alive) return Promise.resolve(wire)
      this.#gone(wire)
    }
    if (this.#closed || this.#left === 0) return Promise.reject(lost(this.id, 'no session is left that shows it'))
    return this.#turn(signal)
  }

  /** `whole`: the session is still in its transaction. One that is not is of no use to others: whoever broke it has taken it out of use. */
  leave(wire: Wire, whole: boolean): void {
    if (!whole || !wire.alive) {
      this.#gone(whole ? wire : undefined)
      return
    }
    if (this.#closed) {
      this.#work.release(wire)
      return
    }
    const next = this.#waiting.shift()
    if (next) next.take(wire)
    else this.#free.push(wire)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#beats)
    for (const waiter of this.#waiting.splice(0)) waiter.fail(lost(this.id, 'it was closed'))
    for (const wire of this.#free.splice(0)) this.#work.release(wire)
    this.#left = 0
  }

  #turn(signal: AbortSignal): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const done = () => signal.removeEventListener('abort', aborted)
      const waiter: Waiter = {
        take: (wire) => {
          done()
          resolve(wire)
        },
        fail: (cause) => {
          done()
          reject(cause)
        },
      }
      const aborted = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
        waiter.fail(faultOfAbort(signal))
      }
      signal.addEventListener('abort', aborted, { once: true })
      this.#waiting.push(waiter)
    })
  }

  #gone(wire: Wire | undefined): void {
    if (wire) this.#work.drop(wire)
    if (this.#closed) return
    this.#left -= 1
    if (this.#left > 0) return
    for (const waiter of this.#waiting.splice(0)) waiter.fail(lost(this.id, 'its last session has ended'))
  }

  /** Those that nobody uses are heard of; meanwhile nobody gets them. */
  #beat(): void {
    for (const wire of this.#free.splice(0)) {
      this.#work.run(async () => {
        const whole = await StatementRun.one(wire, 'select 1').then(
          () => true,
          () => false,
        )
        if (!whole) this.#work.drop(wire)
        this.leave(wire, whole)
      })
    }
  }
}
