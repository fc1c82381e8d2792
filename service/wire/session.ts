import { type ClientHttp2Stream, constants } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { Clock } from '@postern/base/clock.ts'
import { type SpliceHooks, splice } from '@postern/base/splice.ts'
import { spliceBeside } from '@postern/base/splice-beside.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { SessionRecord } from './session-record.ts'
import { errorResponse } from './wire-faults.ts'
import { IDLE, readyState } from './wire-messages.ts'

/**
 * One open connection: its bytes are counted and passed, not parsed. Of PostgreSQL's only whether the last thing that the server
 * said was ReadyForQuery: then the client is between two messages and can be told why it ends, and in state I nothing of it is lost.
 */
export class Session {
  readonly record: SessionRecord
  readonly startedAt: number
  readonly #clock: Clock
  #stream: ClientHttp2Stream | undefined
  #movedAt: number
  /** The state in the server's last ReadyForQuery; 0 while an answer is on its way. */
  #ready = 0
  /** The client has sent something since. */
  #asked = false
  /** Why it ends, once that is decided. */
  #end: Fault | undefined

  constructor(record: SessionRecord, clock: Clock) {
    this.record = record
    this.#clock = clock
    this.startedAt = clock.monotonic()
    this.#movedAt = this.startedAt
  }

  get idleMs(): number {
    return this.#clock.monotonic() - this.#movedAt
  }

  /** Nothing runs and nothing is expected: with PostgreSQL outside of a transaction; of other protocols nothing is known. */
  get quiet(): boolean {
    return this.#ready === IDLE && !this.#asked
  }

  /** The client has the word, in a transaction or not. */
  get waits(): boolean {
    return this.record.kind === 'connect' || (this.#ready !== 0 && !this.#asked)
  }

  /** Why it was ended, where it was not the client or the store that did. */
  get ended(): Fault | undefined {
    return this.#end
  }

  /** Settles when both directions have ended. */
  async run(client: Duplex, { stream, data }: { readonly stream: ClientHttp2Stream; readonly data: Duplex | undefined }): Promise<void> {
    this.#stream = stream
    const wire = this.record.kind === 'wire'
    const hooks: SpliceHooks = {
      onForth: (chunk) => {
        this.record.bytesIn += chunk.length
        this.#movedAt = this.#clock.monotonic()
        this.#asked = true
      },
      onBack: (chunk) => {
        this.record.bytesOut += chunk.length
        this.#movedAt = this.#clock.monotonic()
        if (!wire) return
        this.#ready = readyState(chunk)
        this.#asked = false
        if (this.#end && this.#ready === IDLE) setImmediate(() => this.#leave())
      },
      lastWords: () => (wire ? this.#lastWords(stream) : undefined),
    }
    await (data ? spliceBeside(client, { data, control: stream }, hooks) : splice(client, stream, hooks))
  }

  /** Ends it when nothing would be lost; `now`: whatever it does. Of a protocol that is not known only `now` ends it. */
  end(fault: Fault, now: boolean): void {
    this.#end ??= fault
    if (now) this.#cut()
    else this.#leave()
  }

  #leave(): void {
    if (this.quiet) this.#cut()
  }

  #cut(): void {
    const stream = this.#stream
    if (stream && !stream.closed) stream.close(constants.NGHTTP2_CANCEL)
  }

  /** Between two messages the client is told why; in the middle of one it could not be read, and the connection just ends. */
  #lastWords(stream: ClientHttp2Stream): Buffer | undefined {
    const whole = stream.readableEnded && !stream.aborted && stream.rstCode === constants.NGHTTP2_NO_ERROR
    if (this.#ready === 0 || (whole && !this.#end)) return undefined
    return errorResponse(this.#end ?? new Fault('NODE_OFFLINE', { at: `Node ${this.record.node}: connect again for another one.` }))
  }
}
