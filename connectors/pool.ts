import type { Background } from '@postern/base/background.ts'
import type { Clock } from '@postern/base/clock.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { faultOfAbort } from './abort.ts'

/** A signed-in connection, as the pool needs to know it. */
export interface Pooled {
  readonly alive: boolean
  readonly openedAt: number
  /** When it was last given back, on the pool's clock. */
  idleSince: number
  /** Called once, when the connection is gone for whatever reason. */
  set onGone(heard: () => void)
  /** Says goodbye where that is possible, and never waits. */
  close(): void
  destroy(): void
  /** An idle connection does not keep a process alive. */
  ref(on: boolean): void
}

export interface PoolParts<Wire extends Pooled> {
  readonly login: { open(signal: AbortSignal): Promise<Wire> }
  readonly place: string
  readonly maxConnections: number
  readonly clock: Clock
  readonly background: Background
}

export const POOL_LIMITS = {
  connectMs: 10_000,
  /** How long, and how many, may wait for a connection. */
  waitMs: 30_000,
  waiting: 1_000,
  /** An idle connection is closed after so long, any connection between two uses after `lifeMs`. */
  idleMs: 60_000,
  lifeMs: 1_800_000,
  sweepMs: 5_000,
} as const

interface Waiter<Wire> {
  readonly signal: AbortSignal
  take(wire: Wire): void
  fail(cause: unknown): void
}

/** A bounded set of connections. The one used last is used next, so that those not needed grow old and go. */
export class Pool<Wire extends Pooled> {
  readonly #parts: PoolParts<Wire>
  readonly #idle: Wire[] = []
  readonly #all = new Set<Wire>()
  readonly #waiting: Waiter<Wire>[] = []
  readonly #closing = new AbortController()
  #opening = 0
  #sweeper: NodeJS.Timeout | undefined

  constructor(parts: PoolParts<Wire>) {
    this.#parts = parts
  }

  /** At once where one is idle. */
  async acquire(signal: AbortSignal): Promise<Wire> {
    if (signal.aborted) throw faultOfAbort(signal)
    if (this.#closing.signal.aborted) throw new Fault('STOPPING', { at: `The store at ${this.#parts.place} is being closed.` })
    const wire = this.#takeIdle()
    if (wire) return wire
    return this.#wait(signal)
  }

  /** `clean`: the session is as after sign-in, outside of a transaction. Otherwise the connection is closed. */
  release(wire: Wire, clean: boolean): void {
    const { clock } = this.#parts
    if (!clean || !wire.alive || this.#closing.signal.aborted || clock.monotonic() - wire.openedAt > POOL_LIMITS.lifeMs) {
      wire.close()
      this.#forget(wire)
      return
    }
    wire.idleSince = clock.monotonic()
    const next = this.#waiting.shift()
    if (next) {
      next.take(wire)
      return
    }
    this.#idle.push(wire)
    wire.ref(false)
    this.#sweeper ??= setInterval(() => this.#sweep(), POOL_LIMITS.sweepMs).unref()
  }

  #takeIdle(): Wire | undefined {
    for (;;) {
      const wire = this.#idle.pop()
      if (!wire) return undefined
      if (!wire.alive) continue
      wire.ref(true)
      return wire
    }
  }

  #wait(signal: AbortSignal): Promise<Wire> {
    if (this.#waiting.length >= POOL_LIMITS.waiting) return Promise.reject(this.#busy())
    return new Promise((resolve, reject) => {
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', aborted)
        const at = this.#waiting.indexOf(waiter)
        if (at >= 0) this.#waiting.splice(at, 1)
      }
      const waiter: Waiter<Wire> = {
        signal,
        take: (wire) => {
          done()
          resolve(wire)
        },
        fail: (cause) => {
          done()
          reject(cause)
        },
      }
      const aborted = () => waiter.fail(faultOfAbort(signal))
      const timer = setTimeout(() => waiter.fail(this.#busy()), POOL_LIMITS.waitMs)
      signal.addEventListener('abort', aborted, { once: true })
      this.#waiting.push(waiter)
      this.#openMore()
    })
  }

  #busy(): Fault {
    const { place, maxConnections } = this.#parts
    return new Fault('STORE_BUSY', {
      at: `All ${maxConnections} connections of this node to ${place} are in use.`,
      remedy: 'Raise maxConnections of the store, or try again when less is running.',
    })
  }

  /** As many as are waited for and allowed. A failed sign-in is told to the one that waited longest. */
  #openMore(): void {
    const { maxConnections, background } = this.#parts
    while (this.#opening < this.#waiting.length && this.#all.size + this.#opening < maxConnections) {
      this.#opening += 1
      background.run(() => this.#openOne())
    }
  }

  async #openOne(): Promise<void> {
    const first = this.#waiting[0]
    try {
      // The signal of the one who waits, so that nobody dials for a caller that has left; others that wait dial again.
      const signal = first ? AbortSignal.any([this.#closing.signal, first.signal]) : this.#closing.signal
      const wire = await this.#parts.login.open(signal).finally(() => {
        this.#opening -= 1
      })
      this.#all.add(wire)
      wire.onGone = () => this.#forget(wire)
      if (!wire.alive) this.#forget(wire)
      this.release(wire, true)
    } catch (cause) {
      if (!first?.signal.aborted) this.#waiting[0]?.fail(cause)
      this.#openMore()
    }
  }

  #forget(wire: Wire): void {
    if (!this.#all.delete(wire)) return
    const at = this.#idle.indexOf(wire)
    if (at >= 0) this.#idle.splice(at, 1)
    this.#openMore()
  }

  #sweep(): void {
    const now = this.#parts.clock.monotonic()
    for (const wire of [...this.#idle]) {
      if (now - wire.idleSince < POOL_LIMITS.idleMs && now - wire.openedAt < POOL_LIMITS.lifeMs) continue
      wire.close()
      this.#forget(wire)
    }
    if (this.#idle.length > 0) return
    clearInterval(this.#sweeper)
    this.#sweeper = undefined
  }

  /** Those in use are closed when they are given back. */
  close(): void {
    this.#closing.abort(new Fault('STOPPING'))
    clearInterval(this.#sweeper)
    for (const waiter of [...this.#waiting]) waiter.fail(new Fault('STOPPING'))
    for (const wire of [...this.#idle]) {
      wire.close()
      this.#forget(wire)
    }
  }

  /** Breaks what is still in use. */
  destroy(): void {
    for (const wire of [...this.#all]) wire.destroy()
  }

  get size(): number {
    return this.#all.size
  }
}
