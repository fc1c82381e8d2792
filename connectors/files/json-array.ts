/** Files that are one JSON array of objects, to and from lines of one object each. */
import { Transform } from 'node:stream'
import { Fault } from '@postern/protocol/fault.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const LINE = 0x0a
const OPEN = 0x5b
const CLOSE = 0x5d
const BRACE = 0x7b
const BRACE_END = 0x7d

/** Each element on a line of its own; line ends between its tokens become spaces. Whether it is an object shows to who reads the line. */
export async function* arrayLines(chunks: AsyncIterable<Buffer>, title: string): AsyncIterable<Buffer> {
  let depth = 0
  let inString = false
  let escaped = false
  let ended = false
  let line = 1
  const fault = (wrong: string) => new Fault('ROW_INVALID', { at: `file ${title}, line ${line}: ${wrong}.` })
  for await (const chunk of chunks) {
    const out = Buffer.allocUnsafe(chunk.length)
    let to = 0
    for (let i = 0; i < chunk.length; i += 1) {
      const byte = chunk[i] as number
      if (byte === LINE) line += 1
      if (inString) {
        if (escaped) escaped = false
        else if (byte === BACKSLASH) escaped = true
        else if (byte === QUOTE) inString = false
        out[to++] = byte
        continue
      }
      const space = byte <= 0x20 || (depth === 0 && (byte === 0xef || byte === 0xbb || byte === 0xbf))
      if (depth === 0) {
        if (space) continue
        if (byte !== OPEN || ended) throw fault('it is not one JSON array')
        depth = 1
        continue
      }
      if (byte === CLOSE && depth === 1) {
        out[to++] = LINE
        depth = 0
        ended = true
        continue
      }
      if (byte === QUOTE) inString = true
      else if (byte === OPEN || byte === BRACE) depth += 1
      else if (byte === CLOSE || byte === BRACE_END) depth -= 1
      out[to++] = byte === COMMA && depth === 1 ? LINE : space ? 0x20 : byte
    }
    if (to > 0) yield out.subarray(0, to)
  }
  if (!ended) throw fault('the JSON array has no end')
}

/** Lines of one object each as one array. */
export function linesToArray(): Transform {
  let begun = false
  /** A line has ended, and what separates it from the next is to be written before that. */
  let open = false
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (!begun) this.push('[\n')
      begun = true
      if (open) this.push(',\n')
      open = chunk[chunk.length - 1] === LINE
      // A line end within an object's text is written as \n: each byte that is one ends a line.
      const text = open ? chunk.subarray(0, -1) : chunk
      const parts: Buffer[] = []
      let from = 0
      for (let at = text.indexOf(LINE); at >= 0; at = text.indexOf(LINE, at + 1)) {
        parts.push(text.subarray(from, at), SEPARATOR)
        from = at + 1
      }
      done(null, parts.length === 0 ? text : Buffer.concat([...parts, text.subarray(from)]))
    },
    flush(done) {
      done(null, Buffer.from(begun ? '\n]\n' : '[]\n'))
    },
  })
}

const SEPARATOR = Buffer.from(',\n')
