/** Bytes of a part as LOAD DATA reads them (tab, newline, backslash): pure, across any cut of the stream. */
import type { Encoding } from '../copy-contract.ts'
import { ByteWriter } from '../formats/byte-writer.ts'

const TAB = 0x09
const NEWLINE = 0x0a
const RETURN = 0x0d
const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const LETTER_F = 0x66
const LETTER_V = 0x76

export interface LoadText {
  /** The chunk's bytes for the server; what must wait for the next chunk is kept. */
  take(chunk: Buffer): Buffer | undefined
  /** What is left at the end. */
  end(): Buffer | undefined
}

export function loadText(encoding: Encoding): LoadText {
  return encoding === 'csv' ? new CsvText() : new CopyText()
}

/** COPY's text: the same but for \f and \v, which LOAD DATA takes for the letters. */
class CopyText implements LoadText {
  #pending = false

  take(chunk: Buffer): Buffer | undefined {
    const whole = this.#pending ? Buffer.concat([Buffer.from([BACKSLASH]), chunk]) : chunk
    this.#pending = false
    let out: ByteWriter | undefined
    let clean = 0
    let at = whole.indexOf(BACKSLASH)
    while (at >= 0) {
      if (at + 1 === whole.length) {
        this.#pending = true
        break
      }
      const letter = whole[at + 1]
      if (letter === LETTER_F || letter === LETTER_V) {
        out ??= new ByteWriter()
        out.copy(whole, clean, at)
        out.byte(letter === LETTER_F ? 0x0c : 0x0b)
        clean = at + 2
      }
      at = whole.indexOf(BACKSLASH, at + 2)
    }
    const end = whole.length - (this.#pending ? 1 : 0)
    if (!out) return end === 0 ? undefined : whole.subarray(0, end)
    out.copy(whole, clean, end)
    return out.take()
  }

  end(): Buffer | undefined {
    return this.#pending ? Buffer.from([BACKSLASH]) : undefined
  }
}

const AT = { start: 0, plain: 1, quoted: 2, quoteInside: 3 } as const

/** CSV: a field that is nothing is \N, quotes fall away, and what would be a separator is written with a backslash. */
class CsvText implements LoadText {
  #at: (typeof AT)[keyof typeof AT] = AT.start

  take(chunk: Buffer): Buffer | undefined {
    const out = new ByteWriter()
    out.ensure(chunk.length * 2 + 2)
    const { buffer } = out
    let to = 0
    let at = this.#at
    for (let i = 0; i < chunk.length; i += 1) {
      const byte = chunk[i] ?? 0
      if (at === AT.quoted) {
        if (byte === QUOTE) at = AT.quoteInside
        else to = written(buffer, to, byte)
        continue
      }
      if (byte === COMMA || byte === NEWLINE) {
        if (at === AT.start) {
          buffer[to++] = BACKSLASH
          buffer[to++] = 0x4e
        }
        buffer[to++] = byte === COMMA ? TAB : NEWLINE
        at = AT.start
      } else if (byte === QUOTE && at !== AT.plain) {
        if (at === AT.quoteInside) to = written(buffer, to, QUOTE)
        at = AT.quoted
      } else {
        to = written(buffer, to, byte)
        at = AT.plain
      }
    }
    this.#at = at
    out.length = to
    return out.take()
  }

  end(): undefined {
    return undefined
  }
}

function written(buffer: Buffer, start: number, byte: number): number {
  if (byte !== BACKSLASH && byte !== TAB && byte !== NEWLINE && byte !== RETURN && byte !== 0) {
    buffer[start] = byte
    return start + 1
  }
  buffer[start] = BACKSLASH
  buffer[start + 1] = byte === BACKSLASH ? BACKSLASH : byte === TAB ? 0x74 : byte === NEWLINE ? 0x6e : byte === RETURN ? 0x72 : 0x30
  return start + 2
}
