import { Readable } from 'node:stream'
import type { Fault } from '@postern/protocol/fault.ts'
import { faultOfAbort } from '../abort.ts'
import { Exchange } from './exchange.ts'
import { type OkFacts, queryCommand } from './packets.ts'
import type { RowWriter } from './row-writer.ts'
import type { ServerError } from './server-error.ts'
import type { Wire } from './wire.ts'

/** So many bytes wait for the reader before the database's socket is not read any more. */
const BUFFER_BYTES = 1_048_576
/** Rows are gathered to pieces of about this size: each piece costs every hop something. */
const PIECE_BYTES = 131_072

export interface RowsOutParts {
  readonly wire: Wire
  readonly sql: string
  readonly writer: RowWriter
  readonly fault: (cause: unknown) => Fault
  /** All rows have been sent and the wire is free, still inside its transaction. */
  readonly done: () => void
  /** The reader has gone, or the statement failed: the wire is of no more use. */
  readonly left: () => void
}

/** A SELECT of a copy: its rows as lines, from the socket's buffer into the output's. */
export class RowsOut extends Exchange {
  readonly bytes: Readable
  readonly #parts: RowsOutParts
  readonly #settle: { resolve(out: RowsOut): void; reject(cause: unknown): void }
  #started = false
  #over = false
  #paused = false
  #rows = 0

  private constructor(parts: RowsOutParts, settle: { resolve(out: RowsOut): void; reject(cause: unknown): void }) {
    super(parts.wire)
    this.#parts = parts
    this.#settle = settle
    this.bytes = new Readable({
      highWaterMark: BUFFER_BYTES,
      read: () => this.#resume(),
      destroy: (cause, done) => {
        if (!this.#over) {
          this.#over = true
          parts.left()
        }
        done(cause)
      },
    })
    // Who reads hears of a failure; who does not yet must not end the process by it.
    this.bytes.on('error', () => undefined)
  }

  /** Settles when the server has begun to send, or has refused. */
  static start(parts: RowsOutParts, signal: AbortSignal): Promise<RowsOut> {
    return new Promise((resolve, reject) => {
      const out = new RowsOut(parts, { resolve, reject })
      const aborted = () => out.#fail(faultOfAbort(signal))
      out.bytes.once('close', () => signal.removeEventListener('abort', aborted))
      signal.addEventListener('abort', aborted, { once: true })
      parts.wire.exchange(out, queryCommand(parts.sql))
      if (signal.aborted) aborted()
    })
  }

  rows(): number {
    return this.#rows
  }

  protected override columns(): void {
    this.#started = true
    this.#settle.resolve(this)
  }

  protected override row(buffer: Buffer, start: number, end: number): void {
    if (this.#over) return
    this.#rows += 1
    this.#parts.writer.row(buffer, start, end)
  }

  batchEnd(): void {
    if (!this.#over && this.#parts.writer.out.length >= PIECE_BYTES) this.#flush()
  }

  protected override done(_facts: OkFacts): void {
    if (this.#over) return
    this.#over = true
    this.wire.release()
    const piece = this.#parts.writer.out.take()
    if (piece) this.bytes.push(piece)
    this.bytes.push(null)
    this.#parts.done()
  }

  protected override failed(error: ServerError): void {
    this.#fail(error)
  }

  lost(cause: Error): void {
    this.#fail(cause)
  }

  #flush(): void {
    const piece = this.#parts.writer.out.take()
    if (!piece || this.bytes.push(piece)) return
    this.#paused = true
    this.wire.pause()
  }

  #fail(cause: unknown): void {
    if (this.#over) return
    this.#over = true
    this.#parts.left()
    const fault = this.#parts.fault(cause)
    if (this.#started) this.bytes.destroy(fault)
    else {
      this.#settle.reject(fault)
      this.bytes.destroy()
    }
  }

  #resume(): void {
    if (!this.#paused || this.#over) return
    this.#paused = false
    this.wire.resume()
  }
}
