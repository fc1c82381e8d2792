import type { PartStream } from '@postern/connectors/contract.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { Tally } from './tally.ts'

/**
 * Watches a part's bytes on their way: how many, and which end failed first. It listens and never stands in between, so the
 * bytes are not touched and the sink's back-pressure reaches the source as it is.
 */
export class Meter {
  readonly #stream: PartStream
  readonly #tally: Tally
  #bytes = 0
  #fault: Fault | undefined
  #lost = false

  /** `onLost` is called when the source ends without having reached its end: a sink that only waits would wait for ever. */
  constructor(stream: PartStream, tally: Tally, onLost: () => void) {
    this.#stream = stream
    this.#tally = tally
    const { bytes } = stream
    bytes.on('error', (cause) => {
      if (cause instanceof Fault && cause.kind !== 'stopped') this.#fault ??= cause
    })
    bytes.on('close', () => {
      if (bytes.readableEnded) return
      this.#lost = true
      onLost()
    })
    // A listener for data starts the flow, so it comes when the sink's does, in whichever way the sink reads.
    const begin = (event: string | symbol) => {
      if (event !== 'data' && event !== 'readable') return
      bytes.off('newListener', begin)
      bytes.on('data', (chunk: Buffer) => this.#take(chunk.length))
    }
    bytes.on('newListener', begin)
  }

  get bytes(): number {
    return this.#bytes
  }

  /** What to say of a failed part: the source's own fault comes before what it did to the sink. */
  fault(sinkCause: unknown): unknown {
    if (sinkCause instanceof Fault && sinkCause.code === 'COMMIT_LOST') return sinkCause
    if (this.#fault) return this.#fault
    // Nobody cancelled: the sink was stopped because the source went away without a word.
    const silent = this.#lost && Fault.from(sinkCause).kind === 'stopped'
    return silent ? new Fault('INTERNAL', { at: 'the source stopped before its end and did not say why', cause: sinkCause }) : sinkCause
  }

  #take(length: number): void {
    this.#bytes += length
    if (this.#tally.due()) this.#tally.progress({ rowsRead: this.#stream.rows(), bytesRead: this.#bytes })
  }
}
