/** The node's end of a link, for tests: dials, upgrades and serves HTTP/2 on the socket with a handler of the test. */
import { once } from 'node:events'
import http from 'node:http'
import http2, { type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import https from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { LIMITS } from '@postern/protocol/limits.ts'
import { LINK_PATH, LINK_PROTOCOL } from '@postern/protocol/link.ts'
import { createWebSocketStream, WebSocket } from 'ws'

export type StreamHandler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void

export interface DialOptions {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly transport: 'raw' | 'websocket'
  readonly handler: StreamHandler
}

export interface Dialled {
  readonly session: ServerHttp2Session
  readonly socket: Duplex
}

/** Fails with the body of the refusal. */
export async function dialLink(options: DialOptions): Promise<Dialled> {
  const socket = options.transport === 'raw' ? await dialRaw(options) : await dialWebSocket(options)
  socket.on('error', () => undefined)
  const session = http2.performServerHandshake(socket, {
    settings: { initialWindowSize: LIMITS.streamWindowBytes, maxFrameSize: LIMITS.frameBytes },
  })
  session.on('error', () => undefined)
  session.on('stream', (stream, headers) => {
    stream.on('error', () => undefined)
    options.handler(stream, headers)
  })
  return { session, socket }
}

async function dialRaw({ url, headers }: DialOptions): Promise<Duplex> {
  const target = new URL(LINK_PATH, url)
  const request = (target.protocol === 'https:' ? https : http).request(target, {
    rejectUnauthorized: false,
    agent: false,
    headers: { ...headers, connection: 'Upgrade', upgrade: LINK_PROTOCOL },
  })
  request.end()
  const refused = once(request, 'response').then(async ([response]) => {
    throw new Error(await new Response(response).text())
  })
  const [, socket, head] = (await Promise.race([once(request, 'upgrade'), refused])) as [unknown, Socket, Buffer]
  refused.catch(() => undefined)
  socket.setNoDelay(true)
  if (head.length > 0) socket.unshift(head)
  return socket
}

async function dialWebSocket({ url, headers }: DialOptions): Promise<Duplex> {
  const target = new URL(LINK_PATH, url)
  target.protocol = target.protocol === 'https:' ? 'wss:' : 'ws:'
  const webSocket = new WebSocket(target, LINK_PROTOCOL, { headers, rejectUnauthorized: false, perMessageDeflate: false })
  // Before 'open': the first frames may come in the same read as the 101, and without a listener they would be lost.
  const duplex = createWebSocketStream(webSocket)
  await once(webSocket, 'open')
  return duplex
}
