/** What the query process writes to a slot: frames of kind (1 byte), length (4), rows so far (8, a double), then the bytes. */
export const FRAME_HEAD_BYTES = 13
/** Rows as bytes of the answer. */
export const ROWS = 1
/** JSON, `FrameEnd`: the last frame of a statement. */
export const END = 2

export interface FrameEnd {
  readonly fault?: { readonly code: string; readonly message: string; readonly remedy: string }
}

export function frameHead(kind: number, bytes: number, rows: number): Buffer {
  const head = Buffer.allocUnsafe(FRAME_HEAD_BYTES)
  head[0] = kind
  head.writeUInt32LE(bytes, 1)
  head.writeDoubleLE(rows, 5)
  return head
}

export interface FrameReader {
  /** Bytes of the answer, as they come: a frame may come in several. */
  rows(bytes: Buffer, rows: number): void
  end(end: FrameEnd, rows: number): void
}

/** Cuts a stream of frames that may break anywhere. */
export class FrameParser {
  readonly #reader: FrameReader
  readonly #head = Buffer.allocUnsafe(FRAME_HEAD_BYTES)
  #headLength = 0
  #left = 0
  #end: Buffer[] = []

  constructor(reader: FrameReader) {
    this.#reader = reader
  }

  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#headLength < FRAME_HEAD_BYTES) {
        const taken = Math.min(FRAME_HEAD_BYTES - this.#headLength, chunk.length - at)
        chunk.copy(this.#head, this.#headLength, at, at + taken)
        this.#headLength += taken
        at += taken
        if (this.#headLength < FRAME_HEAD_BYTES) return
        this.#left = this.#head.readUInt32LE(1)
        continue
      }
      const taken = Math.min(this.#left, chunk.length - at)
      this.#payload(chunk.subarray(at, at + taken))
      at += taken
    }
  }

  #payload(bytes: Buffer): void {
    const rows = this.#head.readDoubleLE(5)
    const isEnd = this.#head[0] === END
    this.#left -= bytes.length
    if (this.#left === 0) this.#headLength = 0
    if (!isEnd) {
      this.#reader.rows(bytes, rows)
      return
    }
    this.#end.push(bytes)
    if (this.#left > 0) return
    const text = Buffer.concat(this.#end).toString()
    this.#end = []
    this.#reader.end(JSON.parse(text) as FrameEnd, rows)
  }
}
