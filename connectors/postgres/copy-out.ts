import { Readable } from 'node:stream'
import type { Fault } from '@postern/protocol/fault.ts'
import { FRAME, SYNC, statement } from './messages.ts'
import { RowBytes } from './row-bytes.ts'
import { faultOfAbort, ServerError } from './server-error.ts'
import type { Listener, Wire } from './wire.ts'

/** So many bytes wait for the reader before the database's socket is not read any more. */
const BUFFER_BYTES = 1_048_576

export interface CopyOutParts {
  readonly wire: Wire
  readonly sql: string
  readonly fault: (cause: unknown) => Fault
  /** All rows have been sent and the wire is free, still inside its transaction. */
  readonly done: () => void
  /** The reader has gone, or the statement failed: the wire is of no more use. */
  readonly left: () => void
}

/** COPY … TO STDOUT: the rows' bytes as the server sends them, never parsed. */
export class CopyOut implements Listener {
  readonly bytes: Readable
  readonly #parts: CopyOutParts
  readonly #out = new RowBytes()
  readonly #settle: { resolve(out: CopyOut): void; reject(cause: unknown): void }
  #started = false
  #over = false
  #paused = false
  #rows = 0
  #error: ServerError | undefined

  private constructor(parts: CopyOutParts, settle: { resolve(out: CopyOut): void; reject(cause: unknown): void }) {
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
  static start(parts: CopyOutParts, signal: AbortSignal): Promise<CopyOut> {
    return new Promise((resolve, reject) => {
      const out = new CopyOut(parts, { resolve, reject })
      const aborted = () => out.#fail(faultOfAbort(signal))
      out.bytes.once('close', () => signal.removeEventListener('abort', aborted))
      signal.addEventListener('abort', aborted, { once: true })
      parts.wire.exchange(out, Buffer.concat([statement(parts.sql), SYNC]))
      if (signal.aborted) aborted()
    })
  }

  /** So far; at the end the server's own count. */
  rows(): number {
    return this.#rows
  }

  frame(code: number, buffer: Buffer, start: number, end: number): void {
    if (code === FRAME.copyData) {
      this.#rows += 1
      if (!this.#over) this.#out.add(buffer, start, end)
    } else if (code === FRAME.copyOut) {
      this.#started = true
      this.#settle.resolve(this)
    } else if (code === FRAME.commandComplete) this.#rows = Number(buffer.toString('latin1', start + 5, end - 1))
    else if (code === FRAME.error) this.#error = ServerError.parse(buffer, start, end)
    else if (code === FRAME.ready) this.#finish()
  }

  batchEnd(): void {
    if (this.#over || this.#error) return
    let room = true
    for (const piece of this.#out.take()) room = this.bytes.push(piece)
    if (room) return
    this.#paused = true
    this.#parts.wire.pause()
  }

  lost(cause: Error): void {
    this.#fail(cause)
  }

  #finish(): void {
    if (this.#over) return
    if (this.#error) {
      this.#fail(this.#error)
      return
    }
    this.#over = true
    this.#parts.wire.release()
    for (const piece of this.#out.end()) this.bytes.push(piece)
    this.bytes.push(null)
    this.#parts.done()
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
    this.#parts.wire.resume()
  }
}
