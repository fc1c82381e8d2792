import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { splice } from './splice.ts'

/** Two ends of a TCP connection. */
async function pair(): Promise<readonly [Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const near = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true })
  const [far] = (await once(server, 'connection')) as [Socket]
  server.close()
  for (const socket of [near, far]) socket.on('error', () => undefined)
  return [near, far]
}

async function all(socket: Socket): Promise<string> {
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text
}

test('bytes pass both ways, and an end is passed while the other way goes on', async () => {
  const [[client, one], [other, server]] = [await pair(), await pair()]
  const done = splice(one, other)
  client.end('question')
  expect(await all(server)).toBe('question')
  server.end('answer')
  expect(await all(client)).toBe('answer')
  await done
})

test('what breaks one side ends the other', async () => {
  const [[client, one], [other, server]] = [await pair(), await pair()]
  const done = splice(one, other)
  const ended = once(server, 'close')
  client.resetAndDestroy()
  server.resume().on('end', () => server.end())
  await ended
  await done
})

test('a side whose other one has gone is told the last words', async () => {
  const [[client, one], [other, server]] = [await pair(), await pair()]
  const done = splice(one, other, { lastWords: () => Buffer.from('it is gone') })
  server.resetAndDestroy()
  expect(await all(client)).toBe('it is gone')
  client.end()
  await done
})

test('a slow reader holds back the writer', async () => {
  const [[client, one], [other, server]] = [await pair(), await pair()]
  const done = splice(one, other)
  client.pause()
  const chunk = Buffer.alloc(1 << 20)
  let passed = 0
  let last = -1
  const write = () => {
    while (server.write(chunk)) passed += 1
  }
  server.on('drain', write)
  write()
  while (passed !== last) {
    last = passed
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  expect(one.writableLength).toBeLessThan(4 << 20)
  for (const socket of [client, server]) socket.destroy()
  await done
})
