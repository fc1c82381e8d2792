import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { systemClock } from '@postern/base/clock.ts'
import { silentLog } from '@postern/base/log.ts'
import { systemRandom } from '@postern/base/random.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { type NodeId, newId } from '@postern/protocol/ids.ts'
import { FlakyLink } from '@postern/testkit/flaky-link.ts'
import { afterEach, expect, test, vi } from 'vitest'
import { type Dialled, type DialOptions, dialLink, type StreamHandler } from '../testing/fake-dialler.ts'
import { selfSigned } from '../testing/self-signed.ts'
import { LinkDoor } from './link-door.ts'
import { LinkRegistry } from './link-registry.ts'

const NODE = newId<NodeId>('nod', systemRandom.bytes)
const toClose: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of toClose.splice(0).toReversed()) await close()
})

async function door(tls: boolean) {
  const heard: string[] = []
  const links = new LinkRegistry({
    listener: { linkUp: (node, transport) => heard.push(`up ${node === NODE} ${transport}`), linkDown: () => heard.push('down') },
    clock: systemClock,
    log: silentLog,
  })
  const doorkeeper = {
    async node(authorization: string | undefined) {
      if (authorization !== 'PosternNode good') throw new Fault('NODE_PROOF_INVALID')
      return { nodeId: NODE, checkBody: () => undefined }
    },
  }
  const entrance = new LinkDoor({ links, doorkeeper, log: silentLog })
  const server = tls ? https.createServer(await selfSigned()) : http.createServer()
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  server.on('upgrade', (request, socket, head) => entrance.handler(request, socket, head, () => undefined, '127.0.0.1'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  toClose.push(async () => {
    await entrance.stop()
    await links.stop()
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const network = await FlakyLink.to({ port: (server.address() as AddressInfo).port })
  toClose.push(() => network[Symbol.asyncDispose]())
  const dial = async (handler: StreamHandler, transport: DialOptions['transport'] = 'raw', authorization = 'PosternNode good') => {
    const dialled = await dialLink({
      url: `${tls ? 'https' : 'http'}://127.0.0.1:${network.port}`,
      headers: { authorization },
      transport,
      handler,
    })
    toClose.push(async () => void dialled.socket.destroy())
    return dialled
  }
  return { links, heard, dial, network }
}

const echo: StreamHandler = (stream) => {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.on('end', () => {
    stream.respond({ ':status': 200 })
    stream.end(JSON.stringify({ got: JSON.parse(Buffer.concat(chunks).toString()) }))
  })
}
const soon = () => AbortSignal.timeout(5_000)

test.each([
  { tls: false, transport: 'raw' },
  { tls: true, transport: 'raw' },
  { tls: false, transport: 'websocket' },
  { tls: true, transport: 'websocket' },
] as const)('a node that dials ($transport, tls $tls) is called over its own connection', async ({ tls, transport }) => {
  const { links, heard, dial } = await door(tls)

  await dial(echo, transport)
  await vi.waitUntil(() => links.has(NODE))

  const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => links.call(NODE, '/ping', { n }, soon())))
  expect(answers).toEqual(Array.from({ length: 50 }, (_, n) => ({ got: { n } })))
  expect(heard).toEqual([`up true ${transport}`])
})

test('a wrong proof is refused with its fault, and no link comes up', async () => {
  const { links, dial } = await door(false)

  await expect(dial(echo, 'raw', 'PosternNode bad')).rejects.toThrow('NODE_PROOF_INVALID')
  expect(links.size).toBe(0)
})

test('a fault of the node arrives as it was sent', async () => {
  const { links, dial } = await door(false)
  await dial((stream) => {
    stream.respond({ ':status': 429 })
    stream.end(JSON.stringify(new Fault('STORE_BUSY', { at: 'shop' }).toJSON()))
  })
  await vi.waitUntil(() => links.has(NODE))

  await expect(links.call(NODE, '/store/test', {}, soon())).rejects.toMatchObject({
    code: 'STORE_BUSY',
    message: expect.stringContaining('shop'),
  })
})

test('a newer link takes the place of the older, and its end is not the end of the node', async () => {
  const { links, heard, dial } = await door(false)
  const first: Dialled = await dial(echo)
  await vi.waitUntil(() => links.has(NODE))
  const goaway = once(first.session, 'goaway')
  await dial(echo)
  await goaway

  first.socket.destroy()

  expect(await links.call(NODE, '/ping', { n: 1 }, soon())).toEqual({ got: { n: 1 } })
  expect(heard).toEqual(['up true raw', 'up true raw'])
})

test('a node that went away is unknown at once, and calls to it fail as NODE_OFFLINE', async () => {
  const { links, heard, dial } = await door(false)
  const node = await dial(() => undefined)
  await vi.waitUntil(() => links.has(NODE))
  const hanging = links.call(NODE, '/ping', {}, soon())

  node.socket.destroy()

  await expect(hanging).rejects.toMatchObject({ code: 'NODE_OFFLINE' })
  await vi.waitUntil(() => heard.includes('down'))
  await expect(links.call(NODE, '/ping', {}, soon())).rejects.toMatchObject({ code: 'NODE_OFFLINE' })
})

test('a link whose other end is silent is found dead by PING', async () => {
  const { links, heard, dial, network } = await door(false)
  await dial(echo)
  await vi.waitUntil(() => links.has(NODE))

  const from = performance.now()
  network.halfOpen()

  await vi.waitUntil(() => heard.includes('down'), { timeout: 8_000 })
  expect(performance.now() - from).toBeLessThan(5_000)
  expect(links.has(NODE)).toBe(false)
})

test('a stop says goodbye and lets the call in flight end', async () => {
  const { links, dial } = await door(false)
  const { promise: asked, resolve } = Promise.withResolvers<void>()
  const node = await dial((stream) => {
    resolve()
    setTimeout(() => {
      stream.respond({ ':status': 200 })
      stream.end('{"late":true}')
    }, 200)
  })
  await vi.waitUntil(() => links.has(NODE))
  const goaway = once(node.session, 'goaway')
  const call = links.call(NODE, '/ping', {}, soon())
  await asked

  await links.drain(soon())

  expect(await call).toEqual({ late: true })
  await goaway
})
