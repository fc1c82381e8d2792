import { BackOff } from '@postern/base/back-off.ts'
import type { Clock } from '@postern/base/clock.ts'
import type { Log } from '@postern/base/log.ts'
import type { Random } from '@postern/base/random.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { SERVICE_PATHS } from '@postern/protocol/link.ts'
import {
  type AttemptFinished,
  type Counters,
  FinishedResponse,
  ProgressResponse,
  type TaskLimits,
  type TaskOrder,
} from '@postern/protocol/task-api.ts'
import { z } from 'zod'
import type { ServiceClient } from '../calls/service-client.ts'

interface AttemptReportsParts {
  readonly order: TaskOrder
  readonly service: Pick<ServiceClient, 'call'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** The service wants this attempt no more. */
  readonly onStale: (fault: Fault) => void
  readonly signal: AbortSignal
}

/** What the service answered. */
type Heard = (answer: unknown) => void

/** At most five reports of progress a second; the latest wins. */
const PROGRESS_MS = 200

/** What one attempt tells the service: that it began, how far it is, how it ended. Each may be told twice. */
export class AttemptReports {
  readonly #parts: AttemptReportsParts
  #latest: Counters | undefined
  #limits: TaskLimits
  #sending: Promise<void> | undefined
  /** The outcome is known: nobody waits for the next report of progress. */
  readonly #over = new AbortController()

  constructor(parts: AttemptReportsParts) {
    this.#parts = parts
    this.#limits = parts.order.limits ?? {}
  }

  /** What the attempt may move now, as the service said last. */
  readonly limits = (): TaskLimits => this.#limits

  async started(): Promise<void> {
    await this.#deliver('started', { epoch: this.#parts.order.epoch })
  }

  /** Never waits, never fails: a report that is lost is made good by the next one. */
  readonly progress = (counters: Counters): void => {
    this.#latest = counters
    this.#sending ??= this.#sendProgress().finally(() => {
      this.#sending = undefined
    })
  }

  /**
   * Repeated until the service has it, or does not want it, or this process stops. Answers what the service would have done next in
   * this slot, if the report asked for `more`.
   */
  async finished(outcome: AttemptFinished): Promise<TaskOrder | undefined> {
    this.#latest = undefined
    this.#over.abort()
    let next: TaskOrder | undefined
    await this.#deliver('finished', outcome, (answer) => {
      next = FinishedResponse.safeParse(answer).data?.next ?? undefined
    })
    await this.#sending
    return next
  }

  async #sendProgress(): Promise<void> {
    const { clock, signal } = this.#parts
    const over = AbortSignal.any([signal, this.#over.signal])
    while (this.#latest && !over.aborted) {
      const counters = this.#latest
      this.#latest = undefined
      await this.#once('progress', { ...counters, epoch: this.#parts.order.epoch }, (answer) => {
        this.#limits = ProgressResponse.safeParse(answer).data?.limits ?? this.#limits
      })
      await clock.sleep(PROGRESS_MS, over).catch(() => undefined)
    }
  }

  async #deliver(step: 'started' | 'finished', body: unknown, heard?: Heard): Promise<void> {
    const { clock, random, signal } = this.#parts
    const backOff = new BackOff({ firstMs: 100, maxMs: 3_000 }, random)
    while (!signal.aborted) {
      if (await this.#once(step, body, heard)) return
      await clock.sleep(backOff.next(), signal).catch(() => undefined)
    }
  }

  /** True when there is nothing more to say: it was taken, or refused for good. */
  async #once(step: 'started' | 'progress' | 'finished', body: unknown, heard?: Heard): Promise<boolean> {
    const { order, service, log, onStale, signal } = this.#parts
    try {
      const path = SERVICE_PATHS.attempt(order.task, order.attempt, step)
      // An older service has nothing to say.
      const answer = await service.call({ path, body, ...(heard ? { answer: z.unknown() } : {}) }, signal)
      heard?.(answer)
      return true
    } catch (cause) {
      const fault = Fault.from(cause)
      // A report that met another change was not heard: it says nothing of the attempt.
      if (fault.canPass || fault.kind === 'bug' || fault.code === 'CHANGED_MEANWHILE') {
        log.debug({ err: cause, task: order.task, step }, 'a report did not get through')
        return false
      }
      log.info({ task: order.task, attempt: order.attempt, step, reason: fault.message }, 'the service does not want this attempt')
      onStale(fault)
      return true
    }
  }
}
