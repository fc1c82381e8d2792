import { once } from 'node:events'
import { connect, createServer } from 'node:http2'
import { silentLog } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { NodeId } from '@postern/protocol/ids.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { answer, Router } from './router.ts'

const router = new Router({
  routes: {
    '/kind': { doors: ['link'], handle: async ({ stream, body }) => answer(stream, body) },
    '/small': { doors: ['link', 'channel'], bodyBytes: 100, handle: async ({ stream, body }) => answer(stream, body) },
    '/throws': {
      doors: ['link'],
      handle: () => {
        throw new Fault('GATEWAY_KEY_MISSING')
      },
    },
  },
  log: silentLog,
  heldBytes: 250,
})
const server = createServer()
const peer = { is: 'channel', peer: 'nod_1' as NodeId } as const
server.on('stream', (stream, headers) => router.serve(stream, headers, headers['x-door'] === 'channel' ? peer : { is: 'link' }))
let port = 0

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  port = typeof address === 'object' && address ? address.port : 0
})
afterAll(() => void server.close())

async function ask(path: string, body: string, door = 'link'): Promise<{ readonly status: unknown; readonly said: unknown }> {
  const session = connect(`http://127.0.0.1:${port}`)
  try {
    const stream = session.request({ ':method': 'POST', ':path': path, 'x-door': door })
    stream.end(body)
    const [headers] = await once(stream, 'response')
    let text = ''
    for await (const part of stream.setEncoding('utf8')) text += part
    return { status: headers[':status'], said: JSON.parse(text) }
  } finally {
    session.close()
  }
}

test('a handler that throws before its first await is answered as a fault, and the node lives on', async () => {
  expect(await ask('/throws', '{}')).toMatchObject({ said: { code: 'GATEWAY_KEY_MISSING' } })
  expect(await ask('/kind', '{"a":1}')).toEqual({ status: 200, said: { a: 1 } })
})

test('what is not JSON, and a path that nobody serves, are refused', async () => {
  expect(await ask('/kind', '{"a":')).toMatchObject({ said: { code: 'INPUT_INVALID' } })
  expect(await ask('/nowhere', '{}')).toMatchObject({ said: { code: 'ROUTE_UNKNOWN' } })
})

test('what another node sends has an end, for each and for all together; what the service sends has another', async () => {
  const long = `"${'x'.repeat(120)}"`
  expect(await ask('/small', long, 'channel')).toMatchObject({ status: 400, said: { code: 'BODY_TOO_LARGE' } })
  expect(await ask('/small', long)).toMatchObject({ status: 200 })

  const session = connect(`http://127.0.0.1:${port}`)
  const held = Array.from({ length: 3 }, () => session.request({ ':method': 'POST', ':path': '/small', 'x-door': 'channel' }))
  const refused = Promise.race(held.map(async (stream) => (await once(stream, 'response'))[0]))
  for (const stream of held) stream.write('x'.repeat(90))
  expect((await refused)[':status']).toBe(400)
  expect(await ask('/small', `"${'x'.repeat(75)}"`, 'channel')).toMatchObject({ said: { code: 'BODY_TOO_LARGE' } })
  session.destroy()

  // What was held is given back with the streams.
  await expect.poll(async () => (await ask('/small', `"${'x'.repeat(75)}"`, 'channel')).status).toBe(200)
})
