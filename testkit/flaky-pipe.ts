import type { Socket } from 'node:net'

/** What one direction of a flaky link does to the bytes. */
export interface Weather {
  readonly stalled?: boolean
  readonly dropping?: boolean
  readonly bytesPerSecond?: number
  readonly delayMs?: number
}

/** More than the product of bandwidth and delay of any path tested: 100 ms at 600 MB/s. */
const IN_FLIGHT_BYTES = 64 << 20
/** A slow path has no deep buffer, or its sender would never feel it. */
const SLOW_BUFFER_BYTES = 64 << 10

interface Parcel {
  readonly dueAt: number
  /** null: the sender has ended. */
  readonly bytes: Buffer | null
}

/** One direction: bytes of `from`, later and fewer, to `to`. */
export class FlakyPipe {
  readonly #from: Socket
  readonly #to: Socket
  readonly #queue: Parcel[] = []
  #queued = 0
  #weather: Weather = {}
  #lost = false
  #blocked = false
  #freeAt = 0
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(from: Socket, to: Socket) {
    this.#from = from
    this.#to = to
    from.on('data', (bytes: Buffer) => this.#take(bytes))
    from.on('end', () => this.#take(null))
    to.on('drain', () => {
      this.#blocked = false
      this.#pump()
    })
  }

  feel(weather: Weather): void {
    this.#weather = weather
    this.#steer()
    this.#pump()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#queue.length = 0
  }

  #take(bytes: Buffer | null): void {
    if (this.#weather.dropping) this.#lost = true
    if (this.#lost || this.#stopped) return
    this.#queue.push({ dueAt: performance.now() + (this.#weather.delayMs ?? 0), bytes })
    this.#queued += bytes?.length ?? 0
    this.#steer()
    this.#pump()
  }

  #steer(): void {
    const most = this.#weather.bytesPerSecond === undefined ? IN_FLIGHT_BYTES : SLOW_BUFFER_BYTES
    if (this.#weather.stalled || this.#queued > most) this.#from.pause()
    else this.#from.resume()
  }

  #pump(): void {
    if (this.#stopped || this.#weather.stalled || this.#blocked) return
    clearTimeout(this.#timer)
    for (let head = this.#queue[0]; head && !this.#blocked; head = this.#queue[0]) {
      const now = performance.now()
      const at = Math.max(head.dueAt, this.#freeAt)
      if (at > now) {
        this.#timer = setTimeout(() => this.#pump(), at - now)
        return
      }
      this.#pass(head, now)
    }
    this.#steer()
  }

  #pass(head: Parcel, now: number): void {
    this.#queue.shift()
    if (!head.bytes) {
      this.#to.end()
      return
    }
    const rate = this.#weather.bytesPerSecond
    const most = rate === undefined ? head.bytes.length : Math.max(1, Math.floor(rate / 20))
    const sent = head.bytes.subarray(0, most)
    const later = head.bytes.subarray(most)
    if (later.length > 0) this.#queue.unshift({ dueAt: head.dueAt, bytes: later })
    if (rate !== undefined) this.#freeAt = now + (sent.length / rate) * 1_000
    this.#queued -= sent.length
    if (!this.#to.destroyed) this.#blocked = !this.#to.write(sent)
  }
}
