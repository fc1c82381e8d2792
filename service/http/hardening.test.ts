/** What the door does with those who have proved nothing: limits, time-outs, headers on every answer. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { systemClock } from '@postern/base/clock.ts'
import { silentLog } from '@postern/base/log.ts'
import { systemRandom } from '@postern/base/random.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { expect, test } from 'vitest'
import { HttpServer, type HttpServerParts, type Routes } from './http-server.ts'
import { checkPlainHttp } from './plain-http.ts'

const routes: Routes = async (http) => {
  http.get('/open', { schema: {}, config: { needs: 'none' } }, () => ({ ok: true }))
  http.get('/known', { schema: {}, config: { needs: 'node' } }, () => ({ ok: true }))
  http.get('/bug', { schema: {}, config: { needs: 'none' } }, () => {
    throw new Error('secret detail of the inside')
  })
  http.get('/taken', { schema: {}, config: { needs: 'none' } }, (_, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
    reply.raw.end('data: x\n\n')
  })
}

async function serverOf(more: Partial<HttpServerParts> = {}): Promise<HttpServer & AsyncDisposable & { readonly port: number }> {
  const server = new HttpServer({
    host: '127.0.0.1',
    port: 0,
    tls: undefined,
    doorkeeper: {
      caller: () => {
        throw new Fault('TOKEN_MISSING')
      },
      check: () => undefined,
      node: async (authorization) => {
        if (authorization !== 'right') throw new Fault('NODE_PROOF_INVALID')
        return { nodeId: 'nod_1' as never, checkBody: () => undefined }
      },
    },
    log: silentLog,
    clock: systemClock,
    random: systemRandom,
    routes: [routes],
    ...more,
  })
  await server.start()
  return Object.assign(server, { port: Number(new URL(server.url).port), [Symbol.asyncDispose]: () => server.stop() })
}

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

/** All that comes until the other end closes. */
async function said(socket: Socket, text: string): Promise<string> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.write(text)
  if (!socket.closed) await once(socket, 'close')
  return Buffer.concat(chunks).toString()
}

test.each(['/open', '/bug', '/nowhere', '/taken', '/docs/', '/openapi.json', '/%zz', '/known'])(
  'GET %s is answered with security headers',
  async (path) => {
    await using server = await serverOf()

    const { headers, status } = await fetch(server.url + path)

    expect(headers.get('content-security-policy')).toMatch(/^default-src 'self';.*frame-ancestors 'none'/)
    expect(headers.get('content-security-policy')).not.toMatch(/https:|unsafe-eval|\*/)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('x-powered-by')).toBeNull()
    expect(headers.get('server')).toBeNull()
    expect(headers.get('access-control-allow-origin')).toBeNull()
    expect(headers.get('strict-transport-security')).toBeNull()
    if (!path.startsWith('/docs')) expect(headers.get('cache-control')).toBe('no-store')
    expect(status).toBeGreaterThanOrEqual(200)
  },
)

test.each([
  ['what is no HTTP', 'hello\r\n\r\n', 400],
  ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00', 400],
  ['headers without end', `GET /open HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ['two lengths', 'POST /open HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx', 400],
  ['a length and chunks', 'POST /open HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx', 400],
])('%s is answered with a problem, and the connection is closed', async (_what, text, status) => {
  await using server = await serverOf()

  const answer = await said(await dial(server.port), text)

  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  expect(answer).toContain('application/problem+json')
  expect(answer).not.toMatch(/HPE_|node:|\.ts:/)
})

test('an upgrade to nothing is refused, and the connection closed though the other half stays open', async () => {
  await using server = await serverOf()

  const answer = await said(await dial(server.port), 'GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n')

  expect(answer).toMatch(/^HTTP\/1.1 404 /)
})

test('who opens many connections and says nothing loses the oldest; others are served', async () => {
  await using server = await serverOf({ strangers: { ofNetwork: 3, inAll: 10 } })
  const known = await dial(server.port)
  known.write('GET /known HTTP/1.1\r\nHost: x\r\nAuthorization: right\r\n\r\n')
  await once(known, 'data')

  const silent = [await dial(server.port), await dial(server.port), await dial(server.port), await dial(server.port)]
  await once(silent[0] as Socket, 'close')

  expect(silent.map(({ destroyed }) => destroyed)).toEqual([true, false, false, false])
  known.write('GET /open HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(known, 'data')
  expect((await fetch(`${server.url}/open`)).status).toBe(200)
  for (const socket of [known, ...silent]) socket.destroy()
})

test.each(['0.0.0.0', '::', '10.0.0.1', 'example.com', '192.168.1.1'])('without TLS it does not listen on %s unless told so', (host) => {
  expect(() => checkPlainHttp({ host, tls: false, allowPlainHttp: false })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  expect(() => checkPlainHttp({ host, tls: false, allowPlainHttp: true })).not.toThrow()
  expect(() => checkPlainHttp({ host, tls: true, allowPlainHttp: false })).not.toThrow()
})

test.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('on %s it needs none', (host) => {
  expect(() => checkPlainHttp({ host, tls: false, allowPlainHttp: false })).not.toThrow()
})
