import { expect, test } from 'vitest'
import { readEvents } from './events.ts'

const streamOf = (...chunks: readonly string[]) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk))
      controller.close()
    },
  })

async function typesOf(body: ReadableStream<Uint8Array>): Promise<unknown[]> {
  const types: unknown[] = []
  for await (const event of readEvents(body)) types.push(event.type)
  return types
}

test('events are read however the network cuts them; comments and unnamed data are passed over', async () => {
  const body = streamOf(
    ': hello\n\nevent: node\nid: 1\nda',
    'ta: {"type":"node"}\n',
    '\ndata: {"type":',
    '"run"}\r\n\r\ndata: {"other":1}\n\n',
  )

  expect(await typesOf(body)).toEqual(['node', 'run'])
})

test('an event that was cut off is not told as if whole', async () => {
  expect(await typesOf(streamOf('data: {"type":"node"}\n\ndata: {"type":"run"}'))).toEqual(['node'])
})

test('a peer that never ends a line is not buffered without end', async () => {
  await expect(typesOf(streamOf(...Array.from({ length: 20 }, () => 'x'.repeat(100_000))))).rejects.toThrow('longer than allowed')
})
