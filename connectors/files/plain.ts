/**
 * The "plain" dialect: how rows are handed to DuckDB through a pipe. Each line is one row, whatever is in its values, so that
 * DuckDB may cut the stream anywhere and read it with all cores. With quotes it guesses where a row begins, and values of several
 * lines can make it guess wrong. Fields end in "," or a line feed; nothing is quoted; in a value ESCAPE and one letter stand for
 * what has a meaning; an empty field is NULL, the empty string is ESCAPE "0".
 */
import { once } from 'node:events'
import { type Readable, Transform, type TransformCallback } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { Fault } from '@postern/protocol/fault.ts'
import { stopIfAborted } from './faults.ts'

const ESCAPE = 0x1f
const QUOTE = 0x22
const COMMA = 0x2c
const LINE = 0x0a
const RETURN = 0x0d

/** What follows ESCAPE, and what both stand for. */
const CODES = new Map([
  [COMMA, 'c'],
  [LINE, 'n'],
  [RETURN, 'r'],
  [ESCAPE, 'e'],
])
const EMPTY = '0'
const CODE_OF = new Uint8Array(256)
for (const [byte, letter] of CODES) CODE_OF[byte] = letter.charCodeAt(0)

/** SQL: the value of a text field of the dialect. ESCAPE itself comes last: before it every ESCAPE begins a code. */
export function fromPlain(field: string): string {
  const code = `chr(${ESCAPE})`
  let value = `replace(${field}, ${code} || '${EMPTY}', '')`
  for (const [byte, letter] of CODES) value = `replace(${value}, ${code} || '${letter}', chr(${byte}))`
  return `case when contains(${field}, ${code}) then ${value} else ${field} end`
}

/** One value, not NULL. */
export function plainField(text: string): string {
  if (text === '') return `\x1f${EMPTY}`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the dialect's own escape
  return /[,\n\r\x1f]/.test(text) ? text.replaceAll(/[,\n\r\x1f]/g, (char) => `\x1f${CODES.get(char.charCodeAt(0))}`) : text
}

/** A line of the dialect in the `csv` encoding, for a person. */
export function csvOfPlain(line: Buffer): Buffer {
  const codes = new Map([...CODES].map(([byte, letter]) => [letter, String.fromCharCode(byte)]))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the dialect's own escape
  const value = (field: string) => field.replaceAll(/\x1f(.)/g, (_, letter: string) => codes.get(letter) ?? '')
  const cells = line.toString().split(',')
  return Buffer.from(cells.map((field) => (field === '' ? '' : `"${value(field).replaceAll('"', '""')}"`)).join(','))
}

/** The contract's `csv` encoding in, the plain dialect out. What has no quotes, mostly all, passes as it is. */
export class CsvToPlain extends Transform {
  #quoted = false
  /** In quotes, the byte before was a quote: the next one decides whether it was the end. */
  #ending = false
  /** Nothing of the quoted value yet. */
  #empty = false

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const simple = !this.#quoted && !chunk.includes(QUOTE) && !chunk.includes(ESCAPE) && !chunk.includes(RETURN)
    done(null, simple ? chunk : this.#convert(chunk))
  }

  #convert(chunk: Buffer): Buffer {
    // Every byte becomes at most two.
    const out = Buffer.allocUnsafe(chunk.length * 2 + 2)
    let to = 0
    let quoted = this.#quoted
    let ending = this.#ending
    let empty = this.#empty
    for (let i = 0; i < chunk.length; i += 1) {
      const byte = chunk[i] as number
      if (quoted) {
        if (byte === QUOTE) {
          if (ending) {
            out[to++] = QUOTE
            empty = false
          }
          ending = !ending
          continue
        }
        if (!ending) {
          const code = CODE_OF[byte] as number
          if (code !== 0) {
            out[to++] = ESCAPE
            out[to++] = code
          } else out[to++] = byte
          empty = false
          continue
        }
        if (empty) {
          out[to++] = ESCAPE
          out[to++] = 0x30
        }
        quoted = false
        ending = false
        empty = false
      } else if (byte === QUOTE) {
        quoted = true
        empty = true
        continue
      }
      if (byte === ESCAPE || byte === RETURN) {
        out[to++] = ESCAPE
        out[to++] = CODE_OF[byte] as number
      } else {
        out[to++] = byte
      }
    }
    this.#quoted = quoted
    this.#ending = ending
    this.#empty = empty
    return out.subarray(0, to)
  }

  override _flush(done: TransformCallback): void {
    if (this.#quoted && !this.#ending) done(new Fault('ROW_INVALID', { at: 'the last row: a quoted value has no end.' }))
    else done(null, this.#empty ? Buffer.from(`\x1f${EMPTY}`) : null)
  }
}

/** A quote in so many bytes is where undoing them costs more than reading with one core does. */
const BYTES_A_QUOTE = 300

/** Looks at the first bytes of a stream and puts them back. Either answer is right, one is faster. */
export async function isQuoteHeavy(bytes: Readable, signal: AbortSignal): Promise<boolean> {
  const chunk = await firstChunk(bytes, signal)
  if (!chunk) return false
  let quotes = 0
  for (let at = chunk.indexOf(QUOTE); at >= 0; at = chunk.indexOf(QUOTE, at + 1)) quotes += 1
  return quotes * BYTES_A_QUOTE > chunk.length
}

async function firstChunk(bytes: Readable, signal: AbortSignal): Promise<Buffer | undefined> {
  stopIfAborted(signal)
  if (bytes.errored) throw bytes.errored
  if (bytes.destroyed) throw new Fault('STORE_LOST', { at: 'The rows ended before the source said so.' })
  if (bytes.readableLength === 0 && !bytes.readableEnded) {
    const found = new AbortController()
    try {
      await Promise.race([
        once(bytes, 'readable', { signal: AbortSignal.any([signal, found.signal]) }),
        once(bytes, 'end', { signal: found.signal }),
        once(bytes, 'close', { signal: found.signal }),
      ])
    } finally {
      found.abort()
    }
  }
  const chunk: Buffer | null = bytes.read()
  if (chunk !== null) bytes.unshift(chunk)
  // The stream forgets on the next tick that it had a reader of "readable"; before, it would not flow.
  await setImmediate()
  return chunk ?? undefined
}
