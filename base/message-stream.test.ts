import { expect, test } from 'vitest'
import { MESSAGE_HEAD, MessageReader, MessageWriter, messageOf } from './message-stream.ts'

interface Heard {
  readonly kind: number
  readonly id: number
  readonly text: string
}

function message(kind: number, id: number, text: string): Buffer {
  const bytes = messageOf(kind, id, Buffer.byteLength(text))
  bytes.write(text, MESSAGE_HEAD)
  return bytes
}

function reading(): { readonly reader: MessageReader; readonly heard: Heard[] } {
  const heard: Heard[] = []
  return { heard, reader: new MessageReader((kind, id, body) => heard.push({ kind, id, text: body.toString() })) }
}

const SENT: readonly Heard[] = [
  { kind: 1, id: 7, text: 'order' },
  { kind: 2, id: 4_294_967_295, text: '' },
  { kind: 3, id: 0, text: 'ä'.repeat(5_000) },
]
const BYTES = Buffer.concat(SENT.map(({ kind, id, text }) => message(kind, id, text)))

test.each([1, 2, 8, 9, 10, 100, 4_096, 1_000_000])('messages are the same however they are cut: %i bytes a chunk', (size) => {
  const { reader, heard } = reading()

  for (let at = 0; at < BYTES.length; at += size) reader.take(BYTES.subarray(at, at + size))

  expect(heard).toEqual(SENT)
})

test('a length that cannot be is refused before anything is kept for it', () => {
  const { reader } = reading()

  expect(() => reader.take(Buffer.from([0xff, 0, 0, 0, 1, 0, 0, 0, 1]))).toThrow('too long')
})

test('the first message of a turn leaves at once, the others of the turn together', async () => {
  const writes: Buffer[] = []
  const writer = new MessageWriter((bytes) => void writes.push(bytes))

  for (const { kind, id, text } of SENT) writer.send(message(kind, id, text))
  const atOnce = writes.length
  await new Promise((resolve) => setImmediate(resolve))

  expect(atOnce).toBe(1)
  expect(writes).toHaveLength(2)
  expect(Buffer.concat(writes)).toEqual(BYTES)
})

test('what is held back can be handed over before the turn ends', () => {
  const writes: Buffer[] = []
  const writer = new MessageWriter((bytes) => void writes.push(bytes))

  for (const { kind, id, text } of SENT) writer.send(message(kind, id, text))
  writer.flush()

  expect(Buffer.concat(writes)).toEqual(BYTES)
})
