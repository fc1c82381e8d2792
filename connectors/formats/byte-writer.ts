const FIRST_BYTES = 2_048
/** The next buffer is as large as the last one was full, within these. */
const MOST_BYTES = 1_048_576

/** Bytes in the making. What `take` gave away is never written again. */
export class ByteWriter {
  /** The bytes so far are [0, length). Encoders write here after `ensure`, and move `length`. */
  buffer: Buffer = Buffer.allocUnsafe(FIRST_BYTES)
  length = 0

  /** Room for so many more bytes. */
  ensure(bytes: number): void {
    const needed = this.length + bytes
    if (needed <= this.buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, Math.min(this.buffer.length * 4, this.buffer.length + MOST_BYTES)))
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
    const next = this.length * 1.25 + 1_024
    this.buffer = Buffer.allocUnsafe(Math.min(MOST_BYTES, Math.max(FIRST_BYTES, Math.ceil(next))))
    this.length = 0
    return taken
  }
}
