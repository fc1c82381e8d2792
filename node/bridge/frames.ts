import { createCipheriv, createDecipheriv } from 'node:crypto'
import { BRIDGE_LIMITS, FRAME, type FrameKind } from '@postern/protocol/bridge.ts'
import { Fault } from '@postern/protocol/fault.ts'

const HEAD = 5
const TAG = 16
const ALGORITHM = 'aes-256-gcm'
const KINDS: ReadonlySet<number> = new Set(Object.values(FRAME))

export interface Frame {
  readonly kind: FrameKind
  readonly payload: Buffer
}

/** A nonce is used once: the key is of one call, and each direction of it has one writer. */
function nonceOf(counter: number): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeBigUInt64BE(BigInt(counter), 4)
  return nonce
}

/** Encrypts frames in their order: one that is left out, doubled, cut or moved does not decrypt. */
export class FrameSealer {
  readonly #key: Buffer
  #counter = 0

  constructor(key: Buffer) {
    this.#key = key
  }

  /** Head, ciphertext and tag, to be written one after another. */
  seal(kind: FrameKind, payload: Buffer): Buffer {
    const frame = Buffer.allocUnsafe(HEAD + payload.length + TAG)
    frame.writeUInt32BE(1 + payload.length + TAG, 0)
    frame[4] = kind
    const cipher = createCipheriv(ALGORITHM, this.#key, nonceOf(this.#counter++))
    cipher.setAAD(frame.subarray(4, HEAD))
    cipher.update(payload).copy(frame, HEAD)
    cipher.final()
    cipher.getAuthTag().copy(frame, HEAD + payload.length)
    return frame
  }
}

/** Takes bytes as they come, gives frames as they are whole. */
export class FrameOpener {
  readonly #key: Buffer
  #counter = 0
  #waiting: Buffer[] = []
  #size = 0

  constructor(key: Buffer) {
    this.#key = key
  }

  /** Fails with BRIDGE_BROKEN when what came is not what was sent. */
  *push(chunk: Buffer): Generator<Frame> {
    this.#waiting.push(chunk)
    this.#size += chunk.length
    for (;;) {
      if (this.#size < 4) return
      const length = this.#peek()
      if (length < 1 + TAG || length > BRIDGE_LIMITS.jsonBytes + 1 + TAG) throw broken()
      if (this.#size < 4 + length) return
      yield this.#open(this.#take(4 + length))
    }
  }

  #peek(): number {
    const [first] = this.#waiting
    if (first && first.length >= 4) return first.readUInt32BE(0)
    return this.#join().readUInt32BE(0)
  }

  #join(): Buffer {
    const whole = Buffer.concat(this.#waiting)
    this.#waiting = [whole]
    return whole
  }

  #take(length: number): Buffer {
    const [first] = this.#waiting
    const from = first && first.length >= length ? first : this.#join()
    const rest = from.subarray(length)
    if (rest.length > 0) this.#waiting[0] = rest
    else this.#waiting.shift()
    this.#size -= length
    return from.subarray(0, length)
  }

  #open(frame: Buffer): Frame {
    const kind = frame[4] ?? 0
    if (!KINDS.has(kind)) throw broken()
    try {
      const decipher = createDecipheriv(ALGORITHM, this.#key, nonceOf(this.#counter++))
      decipher.setAAD(frame.subarray(4, HEAD))
      decipher.setAuthTag(frame.subarray(frame.length - TAG))
      const payload = decipher.update(frame.subarray(HEAD, frame.length - TAG))
      decipher.final()
      return { kind: kind as FrameKind, payload }
    } catch {
      throw broken()
    }
  }
}

function broken(): Fault {
  return new Fault('BRIDGE_BROKEN', { at: 'What came is not what the other gateway sealed.' })
}
