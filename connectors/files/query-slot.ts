import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { Fault } from '@postern/protocol/fault.ts'
import type { Answer, Statement } from '../query-contract.ts'
import { abortFault } from './faults.ts'
import type { QueryCommand } from './query-engine.ts'
import { type FrameEnd, FrameParser, type FrameReader } from './query-frames.ts'

/** So many bytes wait for the reader before the pipe is not read any more. */
const BUFFER_BYTES = 262_144
/** What has not ended so long after it was cancelled is ended with its process. */
const CANCEL_MS = 5_000

export interface QuerySlotParts {
  readonly slot: number
  readonly pipe: Socket
  readonly send: (command: QueryCommand) => void
  readonly kill: () => void
  readonly free: () => void
}

interface Job {
  readonly sql: string
  readonly stream: Readable
  resolve(answer: Answer): void
  reject(cause: Fault): void
  answered: boolean
  /** Nobody takes its rows any more. */
  left: boolean
  rows: number
}

/** One place for a statement in the query process: one after the other, each until the process says that it has ended. */
export class QuerySlot implements FrameReader {
  readonly #parts: QuerySlotParts
  readonly #frames = new FrameParser(this)
  #job: Job | undefined
  #kill: NodeJS.Timeout | undefined

  constructor(parts: QuerySlotParts) {
    this.#parts = parts
    parts.pipe.on('data', (chunk: Buffer) => this.#frames.push(chunk))
    // The end of the process says more.
    parts.pipe.on('error', () => undefined)
    parts.pipe.unref()
  }

  get sql(): string | undefined {
    return this.#job?.sql
  }

  run({ sql, params, maxRows, format }: Statement, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { pipe, slot, send } = this.#parts
      const stream = new Readable({
        highWaterMark: BUFFER_BYTES,
        read: () => pipe.resume(),
        destroy: (cause, done) => {
          this.#leave(job)
          done(cause)
        },
      })
      const job: Job = { sql, stream, resolve, reject, answered: false, left: false, rows: 0 }
      const abort = () => {
        this.#leave(job)
        fail(job, abortFault(signal))
      }
      // Who reads hears of a failure; who does not yet must not end the process by it.
      stream.on('error', () => undefined)
      stream.once('close', () => signal.removeEventListener('abort', abort))
      signal.addEventListener('abort', abort, { once: true })
      this.#job = job
      pipe.ref()
      send({ type: 'run', slot, sql, params, maxRows, format })
    })
  }

  rows(bytes: Buffer, rows: number): void {
    const job = this.#job
    if (!job || job.left) return
    job.rows = rows
    answer(job)
    if (!job.stream.push(bytes)) this.#parts.pipe.pause()
  }

  end({ fault }: FrameEnd, rows: number): void {
    const job = this.#job
    if (!job) return
    this.#free()
    if (fault) fail(job, Fault.fromJson(fault))
    else if (!job.left) {
      job.rows = rows
      job.stream.push(null)
      answer(job)
    }
  }

  lost(fault: Fault): void {
    const job = this.#job
    this.#free()
    if (job) fail(job, fault)
  }

  #leave(job: Job): void {
    if (job.left) return
    job.left = true
    if (this.#job !== job) return
    const { pipe, slot, send, kill } = this.#parts
    send({ type: 'cancel', slot })
    pipe.resume()
    this.#kill = setTimeout(kill, CANCEL_MS)
  }

  #free(): void {
    clearTimeout(this.#kill)
    this.#job = undefined
    this.#parts.pipe.unref()
    this.#parts.free()
  }
}

function answer(job: Job): void {
  if (job.answered) return
  job.answered = true
  job.resolve({ bytes: job.stream, rows: () => job.rows })
}

function fail(job: Job, fault: Fault): void {
  if (job.answered) job.stream.destroy(fault)
  else {
    job.answered = true
    job.reject(fault)
    job.stream.destroy()
  }
}
