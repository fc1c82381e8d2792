/** Many small messages over one stream: each has a kind, the number of what it belongs to, and a body. */

/** A message that says it is longer was never sent by one of ours. */
const MESSAGE_BYTES = 1 << 20
/** Length of the body (uint32), kind (uint8), number (uint32). */
export const MESSAGE_HEAD = 9

/** A message whose body, from MESSAGE_HEAD on, is still to be written. */
export function messageOf(kind: number, id: number, bodyBytes: number): Buffer {
  const message = Buffer.allocUnsafe(MESSAGE_HEAD + bodyBytes)
  message.writeUInt32BE(bodyBytes, 0)
  message[4] = kind
  message.writeUInt32BE(id, 5)
  return message
}

/** Who hears messages. The body is a part of what was read: copy what is kept. */
export type MessageHearer = (kind: number, id: number, body: Buffer) => void

/** Cuts what comes in into messages. */
export class MessageReader {
  readonly #hear: MessageHearer
  /** The beginning of a message whose end has not come, and how much of it there must be to go on. */
  #rest: Buffer[] = []
  #have = 0
  #need = 0

  constructor(hear: MessageHearer) {
    this.#hear = hear
  }

  /** Throws at what cannot be a message: the stream is of no use then. */
  take(chunk: Buffer): void {
    if (this.#have === 0) {
      this.#cut(chunk)
      return
    }
    this.#rest.push(chunk)
    this.#have += chunk.length
    if (this.#have < this.#need) return
    const joined = Buffer.concat(this.#rest, this.#have)
    this.#rest = []
    this.#have = 0
    this.#cut(joined)
  }

  #cut(chunk: Buffer): void {
    let at = 0
    let need = MESSAGE_HEAD
    while (at + MESSAGE_HEAD <= chunk.length) {
      const length = chunk.readUInt32BE(at)
      if (length > MESSAGE_BYTES) throw new RangeError(`a message of ${length} bytes is too long`)
      need = MESSAGE_HEAD + length
      if (at + need > chunk.length) break
      this.#hear(chunk[at + 4] ?? 0, chunk.readUInt32BE(at + 5), chunk.subarray(at + MESSAGE_HEAD, at + need))
      at += need
      need = MESSAGE_HEAD
    }
    if (at === chunk.length) return
    this.#rest.push(chunk.subarray(at))
    this.#have = chunk.length - at
    this.#need = need
  }
}

/** The first message of a turn of the event loop leaves at once, those that follow in the same turn leave together. */
export class MessageWriter {
  readonly #write: (bytes: Buffer) => void
  #behind: Buffer[] = []
  #turn = false

  constructor(write: (bytes: Buffer) => void) {
    this.#write = write
  }

  send(message: Buffer): void {
    if (this.#turn) {
      this.#behind.push(message)
      return
    }
    this.#turn = true
    setImmediate(this.#next)
    this.#write(message)
  }

  /** Hands over what is held back for the end of the turn. */
  flush(): void {
    const [first] = this.#behind
    if (!first) return
    const bytes = this.#behind.length === 1 ? first : Buffer.concat(this.#behind)
    this.#behind = []
    this.#write(bytes)
  }

  readonly #next = (): void => {
    this.#turn = false
    this.flush()
  }
}
