import { BackOff } from '@postern/base/back-off.ts'
import { Background } from '@postern/base/background.ts'
import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import type { Random } from '@postern/base/random.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { SERVICE_PATHS } from '@postern/protocol/link.ts'
import { type Beat as BeatMessage, BeatResponse } from '@postern/protocol/node-api.ts'
import type { ServiceClient } from '../calls/service-client.ts'
import type { Usage } from '../metrics/usage.ts'
import type { BeatLine } from './beat-line.ts'

/** All of the beat that is not about the machine. */
export type Work = Pick<
  BeatMessage,
  'channel' | 'unreachable' | 'runningQueries' | 'running' | 'snapshots' | 'hasGatewayKey' | 'draining'
> &
  Pick<BeatMessage, 'upgrading' | 'staleCredentials' | 'settingsTag' | 'settingsFault' | 'channelEncryption'>

export interface Answered {
  readonly answer: BeatResponse
  readonly sent: BeatMessage
  /** Monotonic: from when on what the service granted can count. */
  readonly askedAt: number
}

interface BeatParts {
  readonly service: ServiceClient
  /** By the link, while there is one to a service that knows of this. */
  readonly line: Pick<BeatLine, 'send' | 'onOpen'>
  /** A link is on its way: with it beats can go again. */
  readonly dialling?: () => boolean
  readonly version: string
  readonly usage: Pick<Usage, 'facts' | 'average'>
  readonly work: () => Work
  readonly obey: (answer: Answered, signal: AbortSignal) => Promise<void>
  /** The service answers again after it did not. */
  readonly onRecovered: () => void
  /** The node is no more: told each time that the service says so. */
  readonly onDeleted: (fault: Fault) => void
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Less than the lease, so that one lost beat does not cost it. */
const BEAT_TIMEOUT_MS = LIMITS.silentMs - LIMITS.beatMs
/** Of that, so long for the link: a replica that hangs must leave time for another one. */
const LINE_TIMEOUT_MS = 1_200
/** A call has its own limits; this one is for what they do not cover. */
const HARD_TIMEOUT_MS = LIMITS.dialMs + 2_000
/** Beats of thousands of nodes, each with a new connection, would keep a service down that is just coming up. */
const FAILED = { firstMs: LIMITS.beatMs, maxMs: 4 * LIMITS.beatMs } as const

/** Tells the service each LIMITS.beatMs what is so, and has done what it answers. */
export class Beat implements Component {
  readonly name = 'beat'
  readonly #parts: BeatParts
  readonly #stopping = new AbortController()
  readonly #background: Background
  readonly #bootId: string
  #loop: Promise<void> | undefined
  #failing: string | undefined
  #refused: Fault | undefined
  #heardAt: number
  #due = 0
  /** A line was opened since the last beat began. */
  #opened = new AbortController()
  readonly #backOff: BackOff

  constructor(parts: BeatParts) {
    this.#parts = parts
    this.#heardAt = parts.clock.monotonic()
    this.#backOff = new BackOff(FAILED, parts.random)
    // Who has a link again need not wait: neither for the next beat after a failure, nor for a call on a connection that is dead.
    parts.line.onOpen(() => this.#opened.abort())
    this.#bootId = Buffer.from(parts.random.bytes(16)).toString('base64url')
    this.#background = new Background((cause) => parts.log.error({ err: cause }, 'the answer to a beat could not be obeyed'))
  }

  /** Why the last beat failed; undefined when it did not. */
  get failing(): string | undefined {
    return this.#failing
  }

  /** Monotonic: when the service last answered; the making of this when it has not. */
  get heardAt(): number {
    return this.#heardAt
  }

  /** The service says that this node is no more, or not itself: nothing passes by waiting. */
  get refused(): Fault | undefined {
    return this.#refused
  }

  /**
   * Waits for the first beat, so that a started node is one that the service knows of. A service that is away is waited for
   * later; one that refuses the node for good fails the start.
   */
  async start(): Promise<void> {
    if (this.#loop) return
    await this.#beat()
    if (this.#refused) throw this.#refused
    this.#loop = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
    await this.#background.idle()
  }

  async #run(): Promise<void> {
    const { clock } = this.#parts
    const { signal } = this.#stopping
    this.#due = clock.monotonic() + LIMITS.beatMs
    while (!signal.aborted) {
      const until = this.#failing === undefined ? signal : AbortSignal.any([signal, this.#opened.signal])
      await clock.sleep(Math.max(0, this.#due - clock.monotonic()), until).catch(() => undefined)
      if (signal.aborted) return
      this.#due = Math.max(this.#due, clock.monotonic()) + LIMITS.beatMs
      // Two connections at once from each node are more than a service that comes up can take. A dial ends; then it is tried again.
      if (this.#failing !== undefined && this.#parts.dialling?.()) continue
      this.#opened = new AbortController()
      await this.#beat()
      if (this.#failing === undefined) this.#backOff.reset()
      else this.#due = clock.monotonic() + this.#backOff.next()
    }
  }

  async #beat(): Promise<void> {
    const { clock, obey, log, usage } = this.#parts
    const { signal } = this.#stopping
    const askedAt = clock.monotonic()
    try {
      const sent = this.#message()
      const answer = await this.#say(sent, signal)
      if (this.#failing !== undefined) {
        log.info('the service answers again')
        this.#parts.onRecovered()
      }
      this.#failing = undefined
      this.#refused = undefined
      this.#heardAt = clock.monotonic()
      // Averages over a window that was changed are wanted now, not in a second.
      if (usage.average(answer.settings.aggregationMinutes)) this.#due = clock.monotonic()
      this.#background.run(() => obey({ answer, sent, askedAt }, signal))
    } catch (cause) {
      if (signal.aborted) return
      const fault = Fault.from(cause)
      if (this.#failing === undefined) log.warn({ reason: fault.message, code: fault.code }, 'a beat failed')
      this.#failing = fault.message
      if (fault.code === 'NODE_DELETED') this.#parts.onDeleted(fault)
      this.#refused = fault.kind === 'denied' || fault.code === 'NODE_UNKNOWN' ? fault : undefined
    }
  }

  /** Ends, whatever becomes of the call: a loop that waited for an answer that never comes would be silent for good. */
  async #say(sent: BeatMessage, signal: AbortSignal): Promise<BeatResponse> {
    const over = new AbortController()
    const late = this.#parts.clock.sleep(HARD_TIMEOUT_MS, AbortSignal.any([signal, over.signal])).then(() => {
      throw new Fault('SERVICE_UNREACHABLE', { at: '(the call did not end)' })
    })
    try {
      return await Promise.race([this.#call(sent, signal), late])
    } finally {
      over.abort()
      late.catch(() => undefined)
    }
  }

  async #call(sent: BeatMessage, signal: AbortSignal): Promise<BeatResponse> {
    const { service, line, clock } = this.#parts
    const from = clock.monotonic()
    // With two links the second is asked when the first says nothing: its replica hangs.
    const answer = (await line.send(sent, LINE_TIMEOUT_MS, signal)) ?? (await line.send(sent, LINE_TIMEOUT_MS, signal))
    if (answer) return answer
    const opened = this.#opened.signal
    const timeoutMs = Math.max(1, Math.round(BEAT_TIMEOUT_MS - (clock.monotonic() - from)))
    try {
      return await service.call(
        { path: SERVICE_PATHS.beat, body: sent, answer: BeatResponse, timeoutMs },
        AbortSignal.any([signal, opened]),
      )
    } catch (cause) {
      const late = opened.aborted ? await line.send(sent, LINE_TIMEOUT_MS, signal) : undefined
      if (late) return late
      throw cause
    }
  }

  #message(): BeatMessage {
    const { usage, work, clock, version } = this.#parts
    const { networkReason: _, ...machine } = usage.facts
    return { bootId: this.#bootId, sentAt: new Date(clock.now()).toISOString(), version, ...machine, ...work() }
  }
}
