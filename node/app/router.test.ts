import { once } from 'node:events'
import { connect, createServer } from 'node:http2'
import { silentLog } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { answer, Router } from './router.ts'

const router = new Router({
  routes: {
    '/kind': { doors: ['link'], handle: async ({ stream, body }) => answer(stream, body) },
    '/throws': {
      doors: ['link'],
      handle: () => {
        throw new Fault('GATEWAY_KEY_MISSING')
      },
    },
  },
  log: silentLog,
})
const server = createServer()
server.on('stream', (stream, headers) => router.serve(stream, headers, { is: 'link' }))
let port = 0

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  port = typeof address === 'object' && address ? address.port : 0
})
afterAll(() => void server.close())

async function ask(path: string, body: string): Promise<{ readonly status: unknown; readonly said: unknown }> {
  const session = connect(`http://127.0.0.1:${port}`)
  try {
    const stream = session.request({ ':method': 'POST', ':path': path })
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
