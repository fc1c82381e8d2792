import { BackOff } from '@postern/base/back-off.ts'
import { Background } from '@postern/base/background.ts'
import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import type { Pulse } from '@postern/base/pulse.ts'
import type { Random } from '@postern/base/random.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import type { Router } from '../app/router.ts'
import type { Transport } from '../state/node-file.ts'
import { LinkSession } from './link-session.ts'
import { dialLink, reasonOf, type TransportParts, UpgradeRefused } from './transport.ts'

/**
 *   down ── back-off over, or woken ──► dialling ── HTTP/2 spoken ──► up
 *    ▲ ◄────────── no transport passed ────┘                           │
 *    └──────────── closed, broke, no answer to a ping ─────────────────┘
 */
export type LinkState =
  | { readonly at: 'down'; readonly since: number; readonly why: string }
  | { readonly at: 'dialling'; readonly transport: Transport; readonly failures: number }
  | {
      readonly at: 'up'
      readonly since: number
      readonly transport: Transport
      readonly session: LinkSession
      readonly replica: string | null
    }

export interface LinkParts extends TransportParts {
  readonly router: Router
  readonly pulse: Pulse
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** What worked the last time, and where to keep what works now. */
  readonly remembered: () => Transport | null
  readonly remember: (transport: Transport) => Promise<void>
  /** False: there is nobody else to be linked to, so it waits for `wake`. */
  readonly wanted?: () => boolean
  /** How long to wait before a link that was lost is dialled again: queries do not wait for it while there is another one. */
  readonly spreadMs?: () => number
}

/** A link that died younger than this does not count as success: the next dial waits longer still. */
const LIVED_MS = 5_000
/** Of a service with two replicas every other dial finds the other one; after so many it is taken that the balancer always picks the same. */
const MOST_TO_THE_SAME = 12
const AGAIN_MS = 1_000
/** A dial has its own limit; this one is for what that does not cover. */
const HARD_DIAL_MS = LIMITS.dialMs + 2_000
const OTHER = { raw: 'websocket', websocket: 'raw' } as const satisfies Record<Transport, Transport>

/** Keeps one connection to the service: one loop that dials, serves, and dials again. */
export class Link implements Component {
  readonly name = 'link'
  readonly #parts: LinkParts
  readonly #stopping = new AbortController()
  readonly #backOff: BackOff
  #state: LinkState
  #wake = new AbortController()
  /** How often in a row a dial came to the replica that has the other link. */
  #toTheSame = 0
  #loop: Promise<void> | undefined
  readonly #background: Background

  constructor(parts: LinkParts) {
    this.#parts = parts
    this.#background = new Background((cause) => parts.log.warn({ err: cause }, 'transport not kept'))
    this.#backOff = new BackOff({ firstMs: 200, maxMs: 15_000 }, parts.random)
    this.#state = { at: 'down', since: parts.clock.now(), why: 'not dialled yet' }
  }

  get state(): LinkState {
    return this.#state
  }

  async start(): Promise<void> {
    this.#loop ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    if (this.#state.at === 'up') this.#state.session.close()
    await this.#loop
    await this.#background.idle()
  }

  /** Ends the wait before the next dial: something says that it would work now. */
  wake(reason: string): void {
    if (this.#state.at === 'down') this.#parts.log.debug({ reason }, 'link is woken')
    this.#wake.abort()
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#parts
    const { signal } = this.#stopping
    while (!signal.aborted) {
      if (this.#parts.wanted?.() === false) {
        this.#wake = new AbortController()
        await clock.sleep(LIMITS.silentMs, AbortSignal.any([signal, this.#wake.signal])).catch(() => undefined)
        // All nodes hear within a second of a replica that came.
        if (this.#parts.wanted()) await this.#spread()
        continue
      }
      const session = await this.#dial()
      if (!session) {
        this.#wake = new AbortController()
        await clock.sleep(this.#wait(), AbortSignal.any([signal, this.#wake.signal])).catch(() => undefined)
        continue
      }
      this.#toTheSame = 0
      const since = clock.monotonic()
      const why = await this.#live(session)
      this.#down(why)
      if (!signal.aborted) log.warn({ why }, 'link is down')
      await this.#spread()
      if (clock.monotonic() - since >= LIVED_MS) this.#backOff.reset()
      else await clock.sleep(this.#backOff.next(), signal).catch(() => undefined)
    }
  }

  /** A balancer that brought us to the replica that has the other link brings us elsewhere soon, unless it never does. */
  #wait(): number {
    const { random } = this.#parts
    if (this.#toTheSame === 0 || this.#toTheSame > MOST_TO_THE_SAME) return this.#backOff.next()
    return AGAIN_MS / 4 + (AGAIN_MS * 3 * random.fraction()) / 4
  }

  /** Hundreds of nodes lose their link to a replica in the same moment; they need not all come back in the same one. */
  async #spread(): Promise<void> {
    const { clock, random, spreadMs } = this.#parts
    const ms = spreadMs?.() ?? 0
    if (ms > 0) await clock.sleep(ms * random.fraction(), this.#stopping.signal).catch(() => undefined)
  }

  async #live(session: LinkSession): Promise<string> {
    const unwatch = session.watch(this.#parts.pulse)
    const stopped = () => {
      session.close()
      // Streams in hand may end; a service that does not let go is not waited for.
      setTimeout(() => session.destroy('stopped'), 1_000).unref()
    }
    this.#stopping.signal.addEventListener('abort', stopped, { once: true })
    if (this.#stopping.signal.aborted) stopped()
    const why = await session.closed
    this.#stopping.signal.removeEventListener('abort', stopped)
    unwatch()
    return why
  }

  /** Tries what worked last, then the other; undefined when neither passes. */
  async #dial(): Promise<LinkSession | undefined> {
    const { log } = this.#parts
    const first = this.#parts.remembered() ?? 'raw'
    let why = 'stopped'
    for (const transport of [first, OTHER[first]]) {
      if (this.#stopping.signal.aborted) break
      this.#state = { at: 'dialling', transport, failures: this.#backOff.failures }
      const outcome = await this.#try(transport)
      if (outcome instanceof LinkSession) return this.#up(outcome, transport)
      why = reasonOf(outcome)
      this.#toTheSame = outcome instanceof Fault && outcome.code === 'NODE_LINKED_ALREADY' ? this.#toTheSame + 1 : 0
      if (!(outcome instanceof UpgradeRefused)) break
      log.debug({ transport, why }, 'this transport does not pass')
    }
    // Every failed dial in the log would fill it while the service is away for a night.
    const quiet = this.#backOff.failures > 0 || (this.#parts.spreadMs?.() ?? 0) > 0
    if (!this.#stopping.signal.aborted) log[quiet ? 'debug' : 'warn']({ why }, 'the service cannot be linked')
    this.#down(why)
    return undefined
  }

  /** Ends, whatever becomes of the dial. */
  async #try(transport: Transport): Promise<unknown> {
    const dial = this.#dialBy(transport)
    const over = new AbortController()
    const late = this.#parts.clock.sleep(HARD_DIAL_MS, over.signal).then(
      () => 'late' as const,
      () => 'late' as const,
    )
    const outcome = await Promise.race([dial, late])
    over.abort()
    if (outcome !== 'late') return outcome
    // What comes of it after all is of no use any more.
    this.#background.run(() => dial.then((come) => come instanceof LinkSession && come.destroy('came too late')))
    return new UpgradeRefused('the dial did not end')
  }

  async #dialBy(transport: Transport): Promise<unknown> {
    const timeout = AbortSignal.timeout(LIMITS.dialMs)
    const signal = AbortSignal.any([this.#stopping.signal, timeout])
    try {
      const dialled = await dialLink(transport, this.#parts, signal)
      return await LinkSession.open(dialled, this.#parts.router, signal).catch((cause: unknown) => {
        throw new UpgradeRefused('upgraded, but no HTTP/2 came through', { cause })
      })
    } catch (cause) {
      return cause
    }
  }

  #up(session: LinkSession, transport: Transport): LinkSession {
    const { clock, log, remembered, remember } = this.#parts
    const { replica } = session
    this.#state = { at: 'up', since: clock.now(), transport, session, replica }
    log.info({ transport, replica }, 'link is up')
    // Not waited for: a disk that hangs must not keep a link from being watched.
    if (remembered() !== transport) this.#background.run(() => remember(transport))
    return session
  }

  #down(why: string): void {
    this.#state = { at: 'down', since: this.#parts.clock.now(), why }
  }
}
