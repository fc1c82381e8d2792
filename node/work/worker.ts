import { Background } from '@postern/base/background.ts'
import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import type { Random } from '@postern/base/random.ts'
import type { Engine } from '@postern/engine/engine.ts'
import { NOTHING_MOVED, type Outcome } from '@postern/engine/outcome.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { RunId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { NODE_PATHS } from '@postern/protocol/link.ts'
import type { BeatResponse } from '@postern/protocol/node-api.ts'
import { TaskOrder } from '@postern/protocol/task-api.ts'
import { parseBody } from '../app/parse.ts'
import { answer, type Route } from '../app/router.ts'
import type { ServiceClient } from '../calls/service-client.ts'
import { AttemptReports } from './attempt-reports.ts'

interface WorkerParts {
  readonly service: ServiceClient
  /** Loaded on the first order: an idle node carries no engine. */
  readonly loadEngine: () => Promise<Engine>
  /** Refuses an order whose stores are another place on each node. */
  readonly checkPlaces?: (order: TaskOrder, signal: AbortSignal) => Promise<void>
  /** Why an order had better go to another node: it lacks a credential. */
  readonly refuses?: (order: TaskOrder) => string | undefined
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

interface Attempt {
  readonly order: TaskOrder
  readonly abort: AbortController
  /** False once only the report is left, which waits for a service that is away. */
  executing: boolean
}

type Answer = { readonly accepted: boolean; readonly reason: string | null }

/** Executes tasks, as many at a time as the service allows, and reports each to the service itself. */
export class Worker implements Component {
  readonly name = 'worker'
  readonly #parts: WorkerParts
  readonly #attempts = new Map<string, Attempt>()
  readonly #background: Background
  readonly #stopping = new AbortController()
  #engine: Engine | undefined
  #loading: Promise<Engine> | undefined
  /** The newest dispatcher that was heard of; an older one is refused. */
  #epoch = 0
  #draining = false
  #onFree: () => void = () => undefined
  /** From the last beat: nothing is taken before the service has said how much. */
  limit = 0
  cpuPercent = 0
  /** For longer than its grace: what a peer hands over could not be reported. */
  cutOff = false

  constructor(parts: WorkerParts) {
    this.#parts = parts
    this.#background = new Background((cause) => parts.log.error({ err: cause }, 'an attempt failed unexpectedly'))
  }

  get running(): readonly { readonly task: TaskOrder['task']; readonly attempt: number }[] {
    return [...this.#attempts.values()].map(({ order }) => ({ task: order.task, attempt: order.attempt }))
  }

  get snapshots(): readonly RunId[] {
    return this.#engine?.snapshots() ?? []
  }

  /** Whether the engine may still want its sessions. */
  get copying(): boolean {
    return this.snapshots.length > 0 || this.#attempts.values().some((attempt) => attempt.executing)
  }

  get draining(): boolean {
    return this.#draining
  }

  get routes(): Readonly<Record<string, Route>> {
    return {
      [NODE_PATHS.dispatch]: {
        doors: ['link', 'channel'],
        // It carries the results of up to LIMITS.planTasks parts.
        bodyBytes: LIMITS.orderBytes,
        handle: async ({ stream, body }) => answer(stream, this.offer(parseBody(TaskOrder, body))),
      },
    }
  }

  /** Called whenever a slot has become free. */
  onFree(callback: () => void): void {
    this.#onFree = callback
  }

  async start(): Promise<void> {}

  /** Takes it, or says why not. An order that is in hand already was taken: a dispatcher may ask twice. */
  offer(order: TaskOrder): Answer {
    const key = `${order.task}/${order.attempt}`
    if (this.#attempts.has(key)) return { accepted: true, reason: null }
    if (this.#draining) return { accepted: false, reason: 'the node is draining' }
    if (this.cutOff) return { accepted: false, reason: 'the node is cut off from the service' }
    if (order.epoch < this.#epoch) {
      return { accepted: false, reason: `the dispatcher's epoch ${order.epoch} is older than ${this.#epoch}` }
    }
    if (this.#attempts.size >= this.limit) return { accepted: false, reason: `the node runs ${this.#attempts.size} of ${this.limit} tasks` }
    const lacking = this.#parts.refuses?.(order)
    if (lacking !== undefined) return { accepted: false, reason: lacking.slice(0, 500) }
    this.#epoch = order.epoch
    this.#background.run(() => this.#work(order))
    return { accepted: true, reason: null }
  }

  /** The answer to a beat that named `reported` snapshots. */
  async obey(answer: BeatResponse, reported: readonly RunId[]): Promise<void> {
    this.limit = answer.jobLimit
    this.#epoch = Math.max(this.#epoch, answer.dispatcher.epoch)
    for (const { task, attempt } of answer.stop) {
      this.#attempts.get(`${task}/${attempt}`)?.abort.abort(new Fault('CANCELLED', { at: '(the service stopped this attempt)' }))
    }
    if (reported.length > 0) await this.#engine?.keepSnapshots(answer.keepSnapshots, reported)
  }

  endAll(fault: Fault): void {
    for (const { abort } of this.#attempts.values()) abort.abort(fault)
  }

  /** Snapshots that are held for runs hold a session of their store. */
  async endSnapshots(): Promise<void> {
    await this.#engine?.keepSnapshots([], this.snapshots)
  }

  async drain(deadline: AbortSignal): Promise<void> {
    this.#draining = true
    if (deadline.aborted || this.#attempts.size === 0) return
    const { promise: late, resolve } = Promise.withResolvers<void>()
    deadline.addEventListener('abort', () => resolve(), { once: true })
    await Promise.race([this.#background.idle(), late])
  }

  async stop(): Promise<void> {
    this.#draining = true
    this.endAll(new Fault('STOPPING'))
    // Told to stop, an attempt still reports that it did, so that the task moves on at once; but not for ever.
    const { clock } = this.#parts
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const timer = clock.sleep(STOP_REPORT_MS, this.#stopping.signal).then(resolve, resolve)
    await Promise.race([this.#background.idle(), late])
    this.#stopping.abort(new Fault('STOPPING'))
    await timer
    await this.#background.idle()
    await this.#engine?.[Symbol.asyncDispose]()
  }

  /** One slot: an order, and what the service has next for it. */
  async #work(first: TaskOrder): Promise<void> {
    const begin = (order: TaskOrder): Attempt => {
      const attempt = { order, abort: new AbortController(), executing: true }
      this.#attempts.set(`${order.task}/${order.attempt}`, attempt)
      return attempt
    }
    const end = ({ order }: Attempt) => this.#attempts.delete(`${order.task}/${order.attempt}`)
    let attempt: Attempt | undefined = begin(first)
    try {
      for (let told = false; attempt; told = true) {
        const next: TaskOrder | undefined = await this.#execute(attempt, told)
        end(attempt)
        attempt = next && begin(next)
      }
    } finally {
      if (attempt) end(attempt)
      this.#onFree()
    }
  }

  /** Whether a slot that is free now may be used again. */
  get #goesOn(): boolean {
    return !this.#draining && !this.cutOff && !this.#stopping.signal.aborted && this.#attempts.size <= this.limit
  }

  /** `told`: the service has given it to this node itself. Returns what comes next in this slot. */
  async #execute(attempt: Attempt, told: boolean): Promise<TaskOrder | undefined> {
    const { service, clock, random, log } = this.#parts
    const { order, abort } = attempt
    const facts = { run: order.run, task: order.task, attempt: order.attempt, kind: order.kind }
    const reports = new AttemptReports({
      order,
      service,
      clock,
      random,
      log,
      signal: this.#stopping.signal,
      onStale: (fault) => abort.abort(fault),
    })
    log.debug(facts, 'attempt begins')
    const starting = told ? undefined : reports.started()
    if (told && !this.#goesOn) abort.abort(new Fault('STOPPING'))
    const outcome = await this.#ready(order, abort.signal).then(
      (engine) => engine.execute(order, reports.progress, abort.signal, reports.limits),
      (cause: unknown): Outcome => ({
        outcome: 'failed',
        fault: toMessage(abort.signal.aborted ? abort.signal.reason : cause),
        counters: NOTHING_MOVED,
      }),
    )
    attempt.executing = false
    await starting
    log.debug({ ...facts, outcome: outcome.outcome }, 'attempt ended')
    return await reports.finished({ ...outcome, epoch: order.epoch, more: this.#goesOn })
  }

  async #ready(order: TaskOrder, signal: AbortSignal): Promise<Engine> {
    const engine = await this.#load()
    await this.#parts.checkPlaces?.(order, signal)
    return engine
  }

  async #load(): Promise<Engine> {
    this.#loading ??= this.#parts.loadEngine()
    this.#engine ??= await this.#loading
    return this.#engine
  }
}

function toMessage(cause: unknown) {
  const { code, message, remedy, details } = Fault.from(cause)
  return { code, message, remedy, details: { ...details } }
}

/** How long a stopping node tries to tell the service what it stopped. */
const STOP_REPORT_MS = 2_000
