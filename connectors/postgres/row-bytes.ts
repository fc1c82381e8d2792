/** Chunks smaller than this are gathered: each piece costs every hop something. */
const PIECE_BYTES = 32_768
const GATHERED_BYTES = 131_072

/**
 * The rows of a COPY without what stands between them, in as few new bytes as can be: within the chunk that came from the socket they are
 * moved together, and the row that began in one chunk and ends in the next goes behind those of the first, where what stood between them has
 * made room. So the memory that the socket was read into is what is handed on. Chunks are the caller's no more.
 */
export class RowBytes {
  /** Rows stand together in it from #from to #to. */
  #chunk: Buffer | undefined
  #from = 0
  #to = 0
  #done: Buffer[] = []
  #small: Buffer[] = []
  #smallBytes = 0

  /** [start, end) of `buffer`: the next row. Of one buffer they come in their order. */
  add(buffer: Buffer, start: number, end: number): void {
    const chunk = this.#chunk
    const bytes = end - start
    if (chunk && (chunk === buffer || this.#to + bytes <= chunk.length)) {
      buffer.copy(chunk, this.#to, start, end)
      this.#to += bytes
      return
    }
    this.#close()
    this.#chunk = buffer
    this.#from = start
    this.#to = end
  }

  /** The pieces that are full. */
  take(): readonly Buffer[] {
    const done = this.#done
    if (done.length > 0) this.#done = []
    return done
  }

  /** All that is left. */
  end(): readonly Buffer[] {
    this.#close()
    this.#gather()
    return this.take()
  }

  #close(): void {
    if (!this.#chunk) return
    const piece = this.#chunk.subarray(this.#from, this.#to)
    this.#chunk = undefined
    if (piece.length >= PIECE_BYTES) {
      this.#gather()
      this.#done.push(piece)
      return
    }
    this.#small.push(piece)
    this.#smallBytes += piece.length
    if (this.#smallBytes >= GATHERED_BYTES) this.#gather()
  }

  #gather(): void {
    if (this.#small.length === 0) return
    this.#done.push(Buffer.concat(this.#small, this.#smallBytes))
    this.#small = []
    this.#smallBytes = 0
  }
}
