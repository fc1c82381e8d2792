import { type Readable, Transform, type TransformCallback } from 'node:stream'
import type { Clock } from '@postern/base/clock.ts'
import type { PartStream } from '@postern/connectors/copy-contract.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { TaskLimits } from '@postern/protocol/task-api.ts'
import type { Stopwatch } from './stopwatch.ts'
import type { Tally } from './tally.ts'
import { Throttle } from './throttle.ts'

/** Pieces are about this large; a few may wait between the two ends. */
const BUFFER_BYTES = 1 << 19

export interface MeterParts {
  readonly stream: PartStream
  readonly tally: Tally
  readonly clock: Clock
  /** Began when the source was asked for the part. */
  readonly watch: Stopwatch
  readonly limits: () => TaskLimits
}

/**
 * Stands between the two ends of a part: counts and times the bytes, holds them to the limits, and keeps apart which end failed. The
 * sink gets a stream of its own, so that it may look into it, put back or stop as it likes, and what it does to it never looks like a
 * failure of the source.
 */
export class Meter {
  /** What the sink reads. */
  readonly bytes: Readable
  readonly #parts: MeterParts
  readonly #throttle: Throttle
  readonly #left = new AbortController()
  #counted = 0
  #rows = 0
  #sourceFault: Fault | undefined

  constructor(parts: MeterParts) {
    this.#parts = parts
    this.#throttle = new Throttle(parts.clock, parts.limits)
    const out = new Gauge(parts.watch, (chunk, done) => this.#pass(chunk, done))
    this.bytes = out
    const { bytes } = parts.stream
    bytes.on('error', (cause) => this.#sourceEnded(out, Fault.from(cause)))
    bytes.on('close', () => {
      if (!bytes.readableEnded)
        this.#sourceEnded(out, new Fault('INTERNAL', { at: 'the source stopped before its end and did not say why' }))
    })
    // A sink that has left may not be listening any more.
    out.on('error', () => undefined)
    out.on('end', () => parts.watch.turn('commit'))
    out.on('close', () => {
      this.#left.abort()
      bytes.destroy()
    })
    bytes.pipe(out)
  }

  get counted(): number {
    return this.#counted
  }

  /** True when the sink has taken all that the source had. */
  get done(): boolean {
    return this.bytes.readableEnded && this.#parts.stream.bytes.readableEnded
  }

  /** What to say of a failed part: what the source said before the sink had failed; but not instead of "it is there already". */
  fault(sinkCause: unknown): unknown {
    if (sinkCause instanceof Fault && sinkCause.code === 'COMMIT_LOST') return sinkCause
    return this.#sourceFault ?? sinkCause
  }

  stop(): void {
    this.bytes.destroy()
    this.#parts.stream.bytes.destroy()
  }

  #sourceEnded(out: Transform, fault: Fault): void {
    if (out.destroyed) return
    this.#sourceFault = fault
    out.destroy(fault)
  }

  #pass(chunk: Buffer, done: () => void): void {
    const { stream, tally, watch } = this.#parts
    watch.firstByte()
    this.#counted += chunk.length
    const rows = stream.rows()
    const waitMs = this.#throttle.spend(Math.max(0, rows - this.#rows), chunk.length)
    this.#rows = rows
    if (tally.due()) tally.progress({ rowsRead: rows, bytesRead: this.#counted, times: watch.times() })
    if (waitMs === 0) {
      done()
      return
    }
    watch.turn('limit')
    this.#throttle.rest(this.#left.signal).then(
      () => {
        watch.turn('read')
        done()
      },
      () => done(),
    )
  }
}

/** Passes pieces on, and knows which end waits for the other: the source while there is no room, else the sink. */
class Gauge extends Transform {
  readonly #watch: Stopwatch
  readonly #heard: (chunk: Buffer, done: () => void) => void

  constructor(watch: Stopwatch, heard: (chunk: Buffer, done: () => void) => void) {
    super({ readableHighWaterMark: BUFFER_BYTES, writableHighWaterMark: BUFFER_BYTES })
    this.#watch = watch
    this.#heard = heard
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#heard(chunk, () => {
      // Before `done`, which may bring the next piece at once.
      if (this.readableLength + chunk.length >= BUFFER_BYTES) this.#watch.turn('write')
      done(null, chunk)
    })
  }

  override _flush(done: TransformCallback): void {
    // The source is through: what is left is the sink's to take.
    this.#watch.turn('write')
    done()
  }

  override _read(size: number): void {
    if (this.#watch.state === 'write' && !this.writableEnded) this.#watch.turn('read')
    super._read(size)
  }
}
