import type { ServerResponse } from 'node:http'

/** Bytes of a first chunk that may be held back for a moment, so that a small answer leaves in one write. */
const HOLD_BYTES = 64 << 10
/**
 * How long. Answers on a trunk are whole or nothing; this is for one that comes by a stream and may end soon: what is held can be had
 * from another node if this one dies now. The price is paid by rows that trickle: the first ones come so much later.
 */
const HOLD_MS = 10
/** Up to here copying is cheaper than a second buffer in the write. */
const JOIN_BYTES = 4 << 10

/**
 * The client's end of a query. Nothing is sent before there is a byte to send, so that everything that goes wrong until
 * then is a proper answer. A small result leaves as one write with its length.
 */
export class ReplyWriter {
  readonly #raw: ServerResponse
  readonly #headers: () => Record<string, string>
  #held: Buffer | undefined
  #holding: NodeJS.Timeout | undefined
  #bytes = 0
  #began = false

  /** `headers` is asked when the first byte leaves. */
  constructor(raw: ServerResponse, headers: () => Record<string, string>) {
    this.#raw = raw
    this.#headers = headers
  }

  get bytes(): number {
    return this.#bytes
  }

  /** True once the client may have seen something. */
  get began(): boolean {
    return this.#began
  }

  /** False when the client's socket is full: wait for 'drain' of the response. */
  write(chunk: Buffer): boolean {
    this.#bytes += chunk.length
    if (!this.#began && this.#held === undefined && chunk.length <= HOLD_BYTES) {
      this.#held = chunk
      this.#holding = setTimeout(() => this.#letGo(), HOLD_MS)
      return true
    }
    this.#letGo()
    return this.#raw.write(chunk)
  }

  /** All of an answer, before `end`: the bytes may be a part of a larger buffer. Only before `began`. */
  whole(bytes: Buffer): void {
    this.#held = bytes
    this.#bytes = bytes.length
  }

  /** The answer is whole. */
  end(): void {
    clearTimeout(this.#holding)
    if (this.#began) {
      this.#raw.end()
      return
    }
    this.#began = true
    const held = this.#held
    this.#raw.writeHead(200, { ...this.#headers(), 'content-length': String(held?.length ?? 0) })
    // Bytes as a latin1 string are joined with the head: one plain write instead of a gathering one.
    if (held && held.length <= JOIN_BYTES) this.#raw.end(held.toString('latin1'), 'latin1')
    else this.#raw.end(held)
  }

  /** Forgets what was held: nothing has been sent, and something else will be. Only before `began`. */
  reset(): void {
    clearTimeout(this.#holding)
    this.#held = undefined
    this.#bytes = 0
  }

  /** The answer must not look whole: the socket is destroyed, so that the chunked end is never sent. */
  cut(): void {
    clearTimeout(this.#holding)
    this.#raw.destroy()
  }

  #letGo(): void {
    clearTimeout(this.#holding)
    if (!this.#began) {
      this.#began = true
      this.#raw.writeHead(200, this.#headers())
    }
    const held = this.#held
    this.#held = undefined
    if (held) this.#raw.write(held)
  }
}
