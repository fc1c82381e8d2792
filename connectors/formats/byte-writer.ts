const FIRST_BYTES = 1_024
const NOTHING = Buffer.alloc(0)
/** The next buffer is as large as the last one was full, within these. */
const MOST_BYTES = 1_048_576

/** Bytes in the making. What `take` gave away is never written again. */
export class ByteWriter {
  /** The bytes so far are [0, length). Encoders write here after `ensure`, and move `length`. */
  buffer: Buffer = NOTHING
  length = 0
  /** Of the next buffer: made when there is something to write, for most answers are taken once. */
  #next = FIRST_BYTES

  /** Room for so many more bytes. */
  ensure(bytes: number): void {
    const needed = this.length + bytes
    if (needed <= this.buffer.length) return
    const wanted = this.buffer.length === 0 ? this.#next : Math.min(this.buffer.length * 4, this.buffer.length + MOST_BYTES)
    const larger = Buffer.allocUnsafe(Math.max(needed, wanted))
    this.buffer.copy(larger, 0, 0, this.length)
    this.buffer = larger
  }

  bytes(data: Uint8Array): void {
    this.ensure(data.length)
    this.buffer.set(data, this.length)
    this.length += data.length
  }

  /** [start, end) of `data`. */
  copy(data: Buffer, start: number, end: number): void {
    const count = end - start
    this.ensure(count)
    if (count > 32) data.copy(this.buffer, this.length, start, end)
    else {
      const { buffer, length } = this
      for (let i = 0; i < count; i += 1) buffer[length + i] = data[start + i] ?? 0
    }
    this.length += count
  }

  text(text: string): void {
    this.ensure(text.length * 3)
    this.length += this.buffer.write(text, this.length)
  }

  byte(value: number): void {
    this.ensure(1)
    this.buffer[this.length] = value
    this.length += 1
  }

  take(): Buffer | undefined {
    if (this.length === 0) return undefined
    const taken = this.buffer.subarray(0, this.length)
    this.#next = Math.min(MOST_BYTES, Math.max(FIRST_BYTES, Math.ceil(this.length * 1.25 + 1_024)))
    this.buffer = NOTHING
    this.length = 0
    return taken
  }
}
