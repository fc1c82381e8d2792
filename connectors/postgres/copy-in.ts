import type { Readable } from 'node:stream'
import { Feed } from '../feed.ts'
import { COPY_DONE, copyDataHeader, copyFail, FRAME, SYNC, statement } from './messages.ts'
import { ServerError } from './server-error.ts'
import type { Listener, Wire } from './wire.ts'

export interface CopiedIn {
  readonly rows: number
  readonly bytes: number
}

/** COPY … FROM STDIN: passes the bytes on as they come, and reads no more of them than the server takes. */
export class CopyIn implements Listener {
  readonly #wire: Wire
  readonly #feed: Feed
  readonly #settle: { resolve(copied: CopiedIn): void; reject(cause: unknown): void }
  #bytes = 0
  #rows = 0
  /** All has been said: CopyDone or CopyFail has gone out, or the server has refused. */
  #closed = false
  #error: unknown

  private constructor(wire: Wire, source: Readable, settle: { resolve(copied: CopiedIn): void; reject(cause: unknown): void }) {
    this.#wire = wire
    this.#feed = new Feed(source, {
      take: (chunk) => this.#send(chunk),
      drained: (heard) => wire.drained(heard),
      end: () => this.#close(Buffer.concat([COPY_DONE, SYNC])),
      failed: (cause) => this.#sourceFailed(cause),
    })
    this.#settle = settle
  }

  /** Rejects with what went wrong first: the source's fault, or the server's error. Then nothing of it is in the table. */
  static run(wire: Wire, sql: string, source: Readable): Promise<CopiedIn> {
    return new Promise((resolve, reject) => {
      wire.exchange(new CopyIn(wire, source, { resolve, reject }), statement(sql, { flush: true }))
    })
  }

  frame(code: number, buffer: Buffer, start: number, end: number): void {
    if (code === FRAME.copyIn) this.#feed.begin()
    else if (code === FRAME.commandComplete) this.#rows = Number(buffer.toString('latin1', start + 5, end - 1))
    else if (code === FRAME.error) this.#refused(ServerError.parse(buffer, start, end))
    else if (code === FRAME.ready) {
      this.#stop()
      this.#wire.release()
      if (this.#error === undefined) this.#settle.resolve({ rows: this.#rows, bytes: this.#bytes })
      else this.#settle.reject(this.#error)
    }
  }

  lost(cause: Error): void {
    this.#stop()
    this.#settle.reject(this.#error ?? cause)
  }

  #send(chunk: Buffer): boolean {
    if (this.#closed) return true
    this.#bytes += chunk.length
    this.#wire.cork()
    this.#wire.send(copyDataHeader(chunk.length))
    const more = this.#wire.send(chunk)
    this.#wire.uncork()
    return more
  }

  #sourceFailed(cause: unknown): void {
    if (this.#closed) return
    this.#error = cause
    this.#close(Buffer.concat([copyFail('the source of the rows failed'), SYNC]))
  }

  #refused(error: ServerError): void {
    this.#error ??= error
    this.#close(SYNC)
  }

  #close(last: Buffer): void {
    if (this.#closed) return
    this.#closed = true
    this.#wire.send(last)
  }

  #stop(): void {
    this.#closed = true
    this.#feed.stop()
  }
}
