import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { Rounds } from '@postern/base/rounds.ts'
import { Fault } from '@postern/protocol/fault.ts'

interface GraceParts {
  /** Monotonic: when the service last answered. */
  readonly heardAt: () => number
  readonly linked: () => boolean
  /** The gateway's setting; 0 = never. */
  readonly graceSeconds: () => number
  /** Ends queries and tasks, and takes nothing from other nodes. */
  readonly end: (fault: Fault) => void
  /** Closes what these leave; called again and again, for an end takes time. */
  readonly release: () => Promise<void>
  /** The service is there again. */
  readonly resume: () => void
  readonly clock: Clock
  readonly log: Log
}

const LOOK_MS = 500

/**
 * A node that nobody can reach any more cannot be told that it was deleted, or that a credential was taken back: beyond the
 * grace period it ends what it has, until it hears from the service again. Heard is: a beat was answered, or the link stands.
 */
export class Grace implements Component {
  readonly name = 'grace'
  readonly #parts: GraceParts
  readonly #rounds: Rounds
  #lastAt: number
  #cutOff = false

  constructor(parts: GraceParts) {
    this.#parts = parts
    this.#rounds = new Rounds({
      everyMs: LOOK_MS,
      clock: parts.clock,
      round: () => this.#look(),
      failed: (cause) => parts.log.error({ err: cause }, 'a node that is cut off did not end its work'),
    })
    this.#lastAt = parts.clock.monotonic()
  }

  get cutOff(): boolean {
    return this.#cutOff
  }

  async start(): Promise<void> {
    this.#rounds.start()
  }

  async stop(): Promise<void> {
    await this.#rounds.stop()
  }

  async #look(): Promise<void> {
    const { clock, log, heardAt, linked, graceSeconds, end, release, resume } = this.#parts
    const now = clock.monotonic()
    this.#lastAt = Math.max(this.#lastAt, linked() ? now : heardAt())
    const grace = graceSeconds() * 1_000
    const cutOff = grace > 0 && now - this.#lastAt > grace
    if (cutOff && !this.#cutOff) {
      log.warn({ seconds: graceSeconds() }, 'cut off for longer than the grace period: sessions, queries and tasks are ended')
      end(new Fault('NODE_CUT_OFF', { at: `(${graceSeconds()} s)` }))
    } else if (!cutOff && this.#cutOff) {
      resume()
      log.info('the service is heard of again: this node works')
    }
    this.#cutOff = cutOff
    if (cutOff) await release()
  }
}
