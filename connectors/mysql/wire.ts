import type { Socket } from 'node:net'
import type { Pooled } from '../pool.ts'
import { HEADER_BYTES, MOST_PAYLOAD, QUIT } from './packets.ts'

/** Who hears the server's answers during one exchange. Packets are [start, end) of `buffer`, valid only during the call. */
export interface Listener {
  packet(buffer: Buffer, start: number, end: number): void
  /** All packets of one read have been heard: the time to pass on what they made. */
  batchEnd?(): void
  /** The connection is gone; nothing follows. */
  lost(cause: Error): void
}

export interface WireFacts {
  /** The server's number for this connection: to be stopped by. */
  readonly id: number
  readonly server: string
  /** Columns are described with MariaDB's finer words. */
  readonly extended: boolean
  readonly openedAt: number
}

/**
 * A signed-in connection. It cuts the socket's bytes into packets and hands them to one listener, without making an object of each:
 * rows go from the socket's buffer into the output's. Back-pressure is `pause()`: the socket is not read.
 */
export class Wire implements Pooled {
  readonly facts: WireFacts
  /** When it was last given back, on the pool's clock. */
  idleSince = 0
  /** The number that the next packet of an exchange must have, when it is ours. */
  sequence = 0
  readonly #socket: Socket
  #listener: Listener | undefined
  /** Bytes of a packet that has not arrived whole, their length, and how many there must be to go on. */
  #pieces: Buffer[] = []
  #have = 0
  #need = 0
  /** Payloads of a packet longer than one packet can be. */
  #long: Buffer[] = []
  #dead: Error | undefined
  #onGone: (() => void) | undefined

  constructor(socket: Socket, facts: WireFacts) {
    this.#socket = socket
    this.facts = facts
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('error', (cause) => this.#gone(cause))
    socket.on('close', () => this.#gone(new Error('the server closed the connection')))
  }

  get openedAt(): number {
    return this.facts.openedAt
  }

  get isMariadb(): boolean {
    return /mariadb/i.test(this.facts.server)
  }

  get alive(): boolean {
    return this.#dead === undefined
  }

  set onGone(heard: () => void) {
    this.#onGone = heard
  }

  /** One exchange at a time: the listener hears everything until it calls `release`. */
  exchange(listener: Listener, command: Buffer): void {
    if (this.#listener) throw new Error('the connection is in use')
    this.#listener = listener
    if (this.#dead) this.#gone(this.#dead)
    else this.#socket.write(command)
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

  close(): void {
    if (this.#dead) return
    if (this.#listener) this.#socket.destroy()
    else this.#socket.end(QUIT, () => this.#socket.destroy())
  }

  destroy(): void {
    this.#socket.destroy()
  }

  ref(on: boolean): void {
    if (on) this.#socket.ref()
    else this.#socket.unref()
  }

  #gone(cause: Error): void {
    this.#dead ??= cause
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
    while (at + HEADER_BYTES <= end) {
      const next = at + HEADER_BYTES + payloadBytes(chunk, at)
      if (next > end) break
      this.#packet(chunk, at, next)
      at = next
    }
    if (at < end) this.#keep(chunk.subarray(at))
    this.#listener?.batchEnd?.()
  }

  /** Adds to the packet that began in an earlier chunk just what it lacks; returns where the chunk goes on. */
  #complete(chunk: Buffer, at: number): number {
    const stop = Math.min(chunk.length, at + this.#need - this.#have)
    this.#pieces.push(chunk.subarray(at, stop))
    this.#have += stop - at
    if (this.#have < this.#need) return stop
    const whole = Buffer.concat(this.#pieces, this.#have)
    const need = HEADER_BYTES + payloadBytes(whole, 0)
    if (need > this.#have) {
      this.#pieces = [whole]
      this.#need = need
      return stop
    }
    this.#pieces = []
    this.#have = 0
    this.#packet(whole, 0, need)
    return stop
  }

  #keep(rest: Buffer): void {
    this.#pieces = [rest]
    this.#have = rest.length
    this.#need = rest.length >= HEADER_BYTES ? HEADER_BYTES + payloadBytes(rest, 0) : HEADER_BYTES
  }

  #packet(buffer: Buffer, start: number, end: number): void {
    this.sequence = ((buffer[start + 3] ?? 0) + 1) & 0xff
    const from = start + HEADER_BYTES
    const goesOn = end - from === MOST_PAYLOAD
    if (!goesOn && this.#long.length === 0) {
      this.#listener?.packet(buffer, from, end)
      return
    }
    this.#long.push(buffer.subarray(from, end))
    if (goesOn) return
    const whole = Buffer.concat(this.#long)
    this.#long = []
    this.#listener?.packet(whole, 0, whole.length)
  }
}

function payloadBytes(buffer: Buffer, at: number): number {
  return (buffer[at] ?? 0) | ((buffer[at + 1] ?? 0) << 8) | ((buffer[at + 2] ?? 0) << 16)
}
