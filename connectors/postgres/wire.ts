import type { Socket } from 'node:net'
import { FRAME, TERMINATE } from './messages.ts'
import { ServerError } from './server-error.ts'
import { StatementNames } from './statement-names.ts'

/** Who hears the server's answers during one exchange. Frames are [start, end) of `buffer`, valid only during the call. */
export interface Listener {
  frame(code: number, buffer: Buffer, start: number, end: number): void
  /** All frames of one read have been heard: the time to pass on what they made. */
  batchEnd?(): void
  /** The connection is gone; nothing follows. */
  lost(cause: Error): void
}

/**
 * A signed-in connection. It cuts the socket's bytes into frames and hands them to one listener, without making an object of each:
 * rows go from the socket's buffer into the output's. Back-pressure is `pause()`: the socket is not read.
 */
export class Wire {
  readonly processId: number
  readonly secretKey: number
  readonly openedAt: number
  /** What is prepared on it; used while `named`: poolers that mix up sessions lose names. */
  readonly names = new StatementNames()
  named = true
  /** When it was last given back, on the pool's clock. */
  idleSince = 0
  readonly #socket: Socket
  #listener: Listener | undefined
  /** Waits for the next exchange, and how many statements it is. */
  #ahead: Buffer[] = []
  #aheadCount = 0
  /** Of the statements that went out ahead of this exchange: how many the server has not answered yet. */
  #unheard = 0
  #failedAhead = false
  /** A frame that has not arrived whole: its pieces, their length, and the length it will have (5 until the header is there). */
  #pieces: Buffer[] = []
  #have = 0
  #need = 0
  #dead: Error | undefined
  #lastError: ServerError | undefined
  #onGone: (() => void) | undefined

  constructor(socket: Socket, facts: { readonly processId: number; readonly secretKey: number; readonly openedAt: number }) {
    this.#socket = socket
    this.processId = facts.processId
    this.secretKey = facts.secretKey
    this.openedAt = facts.openedAt
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('error', (cause) => this.#gone(cause))
    socket.on('close', () => this.#gone(new Error('the server closed the connection')))
  }

  get alive(): boolean {
    return this.#dead === undefined && this.#lastError === undefined
  }

  /** An exchange is going on. */
  get busy(): boolean {
    return this.#listener !== undefined
  }

  /** Called once, when the connection is gone for whatever reason. */
  set onGone(heard: () => void) {
    this.#onGone = heard
  }

  /** One exchange at a time: the listener hears everything until it calls `release`. */
  exchange(listener: Listener, bytes: Buffer): void {
    if (this.#listener) throw new Error('the connection is in use')
    this.#listener = listener
    this.#unheard = this.#aheadCount
    this.#failedAhead = false
    const all = this.#ahead.length === 0 ? bytes : Buffer.concat([...this.#ahead, bytes])
    this.#ahead = []
    this.#aheadCount = 0
    if (this.#dead) this.#gone(this.#dead)
    else this.#socket.write(all)
  }

  /** So many statements go out with the next exchange, before it and in the same write. Nobody hears what they answer; if one fails, the exchange fails. */
  ahead(bytes: Buffer, statements: number): void {
    this.#ahead.push(bytes)
    this.#aheadCount += statements
  }

  /** The last exchange failed by what went out ahead of it. */
  get failedAhead(): boolean {
    return this.#failedAhead
  }

  /** False: wait for `drained` before sending more. */
  send(bytes: Buffer): boolean {
    return this.#dead ? true : this.#socket.write(bytes)
  }

  drained(heard: () => void): void {
    this.#socket.once('drain', heard)
  }

  cork(): void {
    this.#socket.cork()
  }

  uncork(): void {
    this.#socket.uncork()
  }

  release(): void {
    this.#listener = undefined
    if (this.#socket.isPaused()) this.#socket.resume()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Says goodbye where that is possible, and never waits. */
  close(): void {
    if (this.#dead) return
    if (this.#listener) this.#socket.destroy()
    else this.#socket.end(TERMINATE, () => this.#socket.destroy())
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** An idle connection does not keep a process alive. */
  ref(on: boolean): void {
    if (on) this.#socket.ref()
    else this.#socket.unref()
  }

  #gone(cause: Error): void {
    this.#dead ??= this.#lastError ?? cause
    const listener = this.#listener
    this.#listener = undefined
    listener?.lost(this.#dead)
    const onGone = this.#onGone
    this.#onGone = undefined
    onGone?.()
  }

  #take(chunk: Buffer): void {
    let at = 0
    while (this.#have > 0) {
      at = this.#complete(chunk, at)
      if (at === chunk.length && this.#have > 0) return
    }
    const end = chunk.length
    while (at + 5 <= end) {
      const next = at + 1 + chunk.readInt32BE(at + 1)
      if (next > end) break
      this.#frame(chunk, at, next)
      at = next
    }
    if (at < end) this.#keep(chunk.subarray(at))
    this.#listener?.batchEnd?.()
  }

  /** Adds to the frame that began in an earlier chunk just what it lacks; returns where the chunk goes on. */
  #complete(chunk: Buffer, at: number): number {
    const stop = Math.min(chunk.length, at + this.#need - this.#have)
    this.#pieces.push(chunk.subarray(at, stop))
    this.#have += stop - at
    if (this.#have < this.#need) return stop
    const whole = Buffer.concat(this.#pieces, this.#have)
    const need = 1 + whole.readInt32BE(1)
    if (need > this.#have) {
      this.#pieces = [whole]
      this.#need = need
      return stop
    }
    this.#pieces = []
    this.#have = 0
    this.#frame(whole, 0, need)
    return stop
  }

  #keep(rest: Buffer): void {
    this.#pieces = [rest]
    this.#have = rest.length
    this.#need = rest.length >= 5 ? 1 + rest.readInt32BE(1) : 5
  }

  #frame(buffer: Buffer, start: number, end: number): void {
    const code = buffer[start] ?? 0
    if (code === FRAME.notice || code === FRAME.parameterStatus || code === 0x41) return
    if (code === FRAME.error) this.#lastError = fatal(ServerError.parse(buffer, start + 5, end))
    // Nobody may take it any more while it waits for the server to close it.
    if (this.#lastError && !this.#listener) this.#socket.destroy(this.#lastError)
    if (this.#unheard > 0 && this.#isUnheard(code)) return
    this.#listener?.frame(code, buffer, start + 5, end)
  }

  #isUnheard(code: number): boolean {
    if (code === FRAME.commandComplete) this.#unheard -= 1
    if (code !== FRAME.error) return true
    this.#failedAhead = true
    this.#unheard = 0
    return false
  }
}

/** The server's last words before it closes a connection tell more than the closed socket. */
function fatal(error: ServerError): ServerError | undefined {
  return error.severity === 'ERROR' ? undefined : error
}
