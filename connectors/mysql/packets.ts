/** The bytes of MySQL's protocol: what is sent, and what is read out of packets. Lengths and numbers are little-endian. */

/** A packet is at most this long; one that is exactly so long goes on in the next. */
export const MOST_PAYLOAD = 0xff_ff_ff
export const HEADER_BYTES = 4

const COM_QUIT = 0x01
const COM_QUERY = 0x03
const COM_RESET_CONNECTION = 0x1f

export const QUIT = packets(Buffer.from([COM_QUIT]), 0)
export const RESET_CONNECTION = packets(Buffer.from([COM_RESET_CONNECTION]), 0)

export function queryCommand(sql: string): Buffer {
  const text = Buffer.from(sql)
  const payload = Buffer.allocUnsafe(text.length + 1)
  payload[0] = COM_QUERY
  text.copy(payload, 1)
  return packets(payload, 0)
}

export function packetHeader(length: number, sequence: number): Buffer {
  return Buffer.from([length & 0xff, (length >> 8) & 0xff, (length >> 16) & 0xff, sequence & 0xff])
}

function packets(payload: Buffer, sequence: number): Buffer {
  if (payload.length < MOST_PAYLOAD) return Buffer.concat([packetHeader(payload.length, sequence), payload])
  const first = [packetHeader(MOST_PAYLOAD, sequence), payload.subarray(0, MOST_PAYLOAD)]
  return Buffer.concat([...first, packets(payload.subarray(MOST_PAYLOAD), sequence + 1)])
}

/** A place in a packet. */
export class Reader {
  readonly buffer: Buffer
  at: number

  constructor(buffer: Buffer, start: number) {
    this.buffer = buffer
    this.at = start
  }

  byte(): number {
    const value = this.buffer[this.at] ?? 0
    this.at += 1
    return value
  }

  int16(): number {
    return this.byte() | (this.byte() << 8)
  }

  int32(): number {
    const value = this.buffer.readUInt32LE(this.at)
    this.at += 4
    return value
  }

  /** A length-encoded number; −1 where it says NULL. */
  length(): number {
    const first = this.byte()
    if (first < 0xfb) return first
    if (first === 0xfb) return -1
    if (first === 0xfc) return this.int16()
    if (first === 0xfd) return this.int16() | (this.byte() << 16)
    const value = Number(this.buffer.readBigUInt64LE(this.at))
    this.at += 8
    return value
  }

  text(): string | null {
    const length = this.length()
    if (length < 0) return null
    const text = this.buffer.toString('utf8', this.at, this.at + length)
    this.at += length
    return text
  }
}

export const STATUS_MORE_RESULTS = 0x0008

export interface OkFacts {
  readonly affected: number
  readonly status: number
  readonly warnings: number
  /** In words: "Records: 3  Deleted: 1  Skipped: 0  Warnings: 0". */
  readonly info?: string
}

export function readOk(buffer: Buffer, start: number, end: number): OkFacts {
  const reader = new Reader(buffer, start + 1)
  const affected = reader.length()
  reader.length()
  const [status, warnings] = [reader.int16(), reader.int16()]
  return { affected, status, warnings, info: buffer.toString('utf8', Math.min(reader.at, end), end) }
}

/** The packet that ends columns, and rows. */
export function readEnd(buffer: Buffer, start: number): OkFacts {
  const reader = new Reader(buffer, start + 1)
  const warnings = reader.int16()
  return { affected: 0, status: reader.int16(), warnings }
}

export interface Field {
  readonly name: string
  readonly type: number
  readonly charset: number
  readonly flags: number
  readonly length: number
  readonly decimals: number
  /** MariaDB's finer word for it: "json", "uuid"; else empty. */
  readonly format: string
}

/** A column's definition; `extended`: the server adds MariaDB's finer words for types. */
export function readField(buffer: Buffer, start: number, extended: boolean): Field {
  const reader = new Reader(buffer, start)
  // catalogue, schema, table, original table, name, original name
  for (let i = 0; i < 4; i += 1) skipText(reader)
  const name = reader.text() ?? ''
  skipText(reader)
  const format = extended ? readFormat(reader) : ''
  reader.length()
  const charset = reader.int16()
  const length = reader.int32()
  const type = reader.byte()
  const flags = reader.int16()
  return { name, type, charset, flags, length, decimals: reader.byte(), format }
}

function skipText(reader: Reader): void {
  const length = reader.length()
  reader.at += Math.max(0, length)
}

/** Pairs of a kind (0 type, 1 format) and a text. */
function readFormat(reader: Reader): string {
  const end = reader.length() + reader.at
  let format = ''
  while (reader.at < end) {
    reader.byte()
    format = reader.text() ?? ''
  }
  return format
}
