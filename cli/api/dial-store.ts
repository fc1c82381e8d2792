import type { IncomingMessage, RequestOptions } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Fault } from '@postern/protocol/fault.ts'
import { CONNECT_PROTOCOL } from '@postern/protocol/link.ts'
import { z } from 'zod'

export interface DialParts {
  readonly url: string
  readonly token: string
  readonly store: string
  readonly signal: AbortSignal
}

const Problem = z.object({ code: z.string(), detail: z.string().optional(), remedy: z.string().optional() })
const PROBLEM_BYTES = 1 << 20
const CONNECT_MS = 10_000

/** Not 101 and not a problem of ours: something on the way does not let the upgrade pass. */
class NotPassed extends Error {}

/** One connection to a store: by a raw upgrade, or by a WebSocket where something on the way lets nothing else pass. */
export async function dialStore(parts: DialParts): Promise<Duplex> {
  try {
    return await dialRaw(parts)
  } catch (cause) {
    if (!(cause instanceof NotPassed)) throw cause
    return dialWebSocket(parts)
  }
}

const pathOf = ({ url, store }: DialParts) => `${new URL(url).pathname.replace(/\/+$/, '')}/v1/stores/${encodeURIComponent(store)}/connect`

async function dialRaw(parts: DialParts): Promise<Duplex> {
  const url = new URL(parts.url)
  const { Agent, request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http')
  const options: RequestOptions = {
    path: pathOf(parts),
    headers: { authorization: `Bearer ${parts.token}`, connection: 'Upgrade', upgrade: CONNECT_PROTOCOL, 'user-agent': 'postern' },
    agent: new Agent({ proxyEnv: process.env, keepAlive: false }),
    signal: parts.signal,
  }
  return await new Promise((resolve, reject) => {
    const upgrade = request(url, options)
    const timer = setTimeout(() => upgrade.destroy(new Error(`no connection within ${CONNECT_MS / 1_000} s`)), CONNECT_MS)
    // Only the way there is short: a queue of the gateway may be long.
    upgrade.once('socket', (socket) => {
      if (socket.connecting) socket.once('connect', () => clearTimeout(timer))
      else clearTimeout(timer)
    })
    upgrade.once('upgrade', (_, socket: Socket, head) => {
      clearTimeout(timer)
      socket.setNoDelay(true).setTimeout(0)
      if (head.length > 0) socket.unshift(head)
      resolve(socket)
    })
    upgrade.once('response', (response) => refusalOf(response).then(reject, reject))
    upgrade.once('error', (cause) => {
      clearTimeout(timer)
      reject(new Fault('SERVICE_UNREACHABLE', { at: `${parts.url}: ${cause.message}`, cause }))
    })
    upgrade.end()
  })
}

async function refusalOf(response: IncomingMessage): Promise<Error> {
  let text = ''
  for await (const chunk of response) if (text.length < PROBLEM_BYTES) text += String(chunk)
  try {
    const { code, detail, remedy } = Problem.parse(JSON.parse(text))
    return Fault.fromJson({ code, message: detail ?? code, remedy, details: {} })
  } catch {
    return new NotPassed(`status ${response.statusCode ?? 0}`)
  }
}

async function dialWebSocket(parts: DialParts): Promise<Duplex> {
  const { createWebSocketStream, WebSocket } = await import('ws')
  const url = new URL(parts.url)
  const address = `${url.protocol === 'https:' ? 'wss' : 'ws'}://${url.host}${pathOf(parts)}`
  const socket = new WebSocket(address, CONNECT_PROTOCOL, {
    headers: { authorization: `Bearer ${parts.token}`, 'user-agent': 'postern' },
    perMessageDeflate: false,
    skipUTF8Validation: true,
  })
  return await new Promise((resolve, reject) => {
    const leave = () => socket.terminate()
    parts.signal.addEventListener('abort', leave, { once: true })
    socket.once('close', () => parts.signal.removeEventListener('abort', leave))
    socket.once('open', () => resolve(createWebSocketStream(socket, { highWaterMark: 1 << 20 })))
    socket.once('unexpected-response', (_, response) => refusalOf(response).then(reject, reject))
    socket.once('error', (cause) => reject(new Fault('SERVICE_UNREACHABLE', { at: `${parts.url}: ${cause.message}`, cause })))
  })
}
