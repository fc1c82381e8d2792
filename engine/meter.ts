import { type Readable, Transform } from 'node:stream'
import type { PartStream } from '@postern/connectors/contract.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { Tally } from './tally.ts'

/** Pieces are about this large; a few may wait between the two ends. */
const BUFFER_BYTES = 1 << 19

/**
 * Stands between the two ends of a part: counts the bytes, and keeps apart which end failed. The sink gets a stream of its own,
 * so that it may look into it, put back or stop as it likes, and what it does to it never looks like a failure of the source.
 */
export class Meter {
  /** What the sink reads. */
  readonly bytes: Readable
  readonly #stream: PartStream
  readonly #tally: Tally
  #counted = 0
  #sourceFault: Fault | undefined

  constructor(stream: PartStream, tally: Tally) {
    this.#stream = stream
    this.#tally = tally
    const out = new Transform({
      readableHighWaterMark: BUFFER_BYTES,
      writableHighWaterMark: BUFFER_BYTES,
      transform: (chunk: Buffer, _encoding, done) => {
        this.#count(chunk.length)
        done(null, chunk)
      },
    })
    this.bytes = out
    const { bytes } = stream
    bytes.on('error', (cause) => this.#sourceEnded(out, Fault.from(cause)))
    bytes.on('close', () => {
      if (!bytes.readableEnded)
        this.#sourceEnded(out, new Fault('INTERNAL', { at: 'the source stopped before its end and did not say why' }))
    })
    // A sink that has left may not be listening any more.
    out.on('error', () => undefined)
    out.on('close', () => bytes.destroy())
    bytes.pipe(out)
  }

  get counted(): number {
    return this.#counted
  }

  /** True when the sink has taken all that the source had. */
  get done(): boolean {
    return this.bytes.readableEnded && this.#stream.bytes.readableEnded
  }

  /** What to say of a failed part: what the source said before the sink had failed; but not instead of "it is there already". */
  fault(sinkCause: unknown): unknown {
    if (sinkCause instanceof Fault && sinkCause.code === 'COMMIT_LOST') return sinkCause
    return this.#sourceFault ?? sinkCause
  }

  stop(): void {
    this.bytes.destroy()
    this.#stream.bytes.destroy()
  }

  #sourceEnded(out: Transform, fault: Fault): void {
    if (out.destroyed) return
    this.#sourceFault = fault
    out.destroy(fault)
  }

  #count(length: number): void {
    this.#counted += length
    if (this.#tally.due()) this.#tally.progress({ rowsRead: this.#stream.rows(), bytesRead: this.#counted })
  }
}
