import type { Clock } from '@postern/base/clock.ts'
import { Fault, type FaultCode } from '@postern/protocol/fault.ts'
import { type Asking, soonOrKnown } from '../db/asking.ts'
import type { Caller } from './caller.ts'

/** How long what has been ended may still be taken by a replica that has just seen it. */
const CACHE_MS = 1_000
const CACHE_SIZE = 10_000

export interface FoundCaller {
  readonly caller: Caller
  /** Wall time in milliseconds. */
  readonly expiresAt: number
}

export interface KnownCallersParts {
  /** Asks the database. */
  readonly find: (hash: string) => Promise<FoundCaller | undefined>
  /** What is said where there is none. */
  readonly invalid: FaultCode
  readonly clock: Clock
}

interface Seen extends FoundCaller {
  readonly at: number
}

/** Who a credential is, asked of the database at most once a second for each; while that is away, who was known goes on. */
export class KnownCallers {
  readonly #parts: KnownCallersParts
  readonly #seen = new Map<string, Seen>()
  readonly #asking = new Map<string, Asking<Caller>>()

  constructor(parts: KnownCallersParts) {
    this.#parts = parts
  }

  /** Synchronous while it was seen within the last second. */
  get(hash: string): Caller | Promise<Caller> {
    const { clock } = this.#parts
    const since = clock.monotonic()
    const seen = this.#seen.get(hash)
    const known = seen && seen.expiresAt > clock.now() ? seen.caller : undefined
    if (seen && known && since - seen.at < CACHE_MS) return known
    let asking = this.#asking.get(hash)
    if (!asking) {
      asking = { answer: this.#ask(hash, seen).finally(() => this.#asking.delete(hash)), since }
      this.#asking.set(hash, asking)
    }
    return soonOrKnown(asking, known, since)
  }

  /** On this replica at once; on the others within the second. */
  forget(which: (caller: Caller) => boolean): void {
    for (const [hash, { caller }] of this.#seen) if (which(caller)) this.#seen.delete(hash)
  }

  async #ask(hash: string, stale: Seen | undefined): Promise<Caller> {
    const { find, invalid, clock } = this.#parts
    const at = clock.monotonic()
    const found = await find(hash).catch((cause) => {
      // Nothing can be ended while the database is away either, so what was so is still so.
      if (stale && stale.expiresAt > clock.now() && Fault.from(cause).code === 'DATABASE_UNREACHABLE') return 'away' as const
      throw cause
    })
    if (found === 'away' && stale) {
      // Not asked anew by each request while the database is away.
      if (this.#seen.has(hash)) this.#seen.set(hash, { ...stale, at: clock.monotonic() })
      return stale.caller
    }
    if (!found || found === 'away') {
      this.#seen.delete(hash)
      throw new Fault(invalid)
    }
    if (this.#seen.size >= CACHE_SIZE) this.#seen.clear()
    this.#seen.set(hash, { ...found, at })
    return found.caller
  }
}
