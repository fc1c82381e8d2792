import { type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Fault } from '@postern/protocol/fault.ts'
import { LINK_PATH, LINK_PROTOCOL, REPLICA_HEADER } from '@postern/protocol/link.ts'
import { parseProblem } from '../calls/answer.ts'
import { type Dialler, onAbort } from '../calls/dialler.ts'
import type { ServiceClient } from '../calls/service-client.ts'
import { prefixOf } from '../calls/service-url.ts'
import type { Transport } from '../state/node-file.ts'

export interface TransportParts {
  readonly dialler: Dialler
  readonly service: ServiceClient
  /** A replica that is linked already: it must not take this link too. */
  readonly unless?: (() => string | null) | undefined
}

/** The service, or something on the way, does not let this transport through: another may pass. */
export class UpgradeRefused extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options)
  }
}

/** A connection on which the node may serve HTTP/2; `tcp` is the socket below it. */
export interface Dialled {
  readonly stream: Duplex
  readonly tcp: Socket
  /** The replica that took it; null where the service does not say. */
  readonly replica: string | null
}

export function dialLink(transport: Transport, parts: TransportParts, signal: AbortSignal): Promise<Dialled> {
  return transport === 'raw' ? dialRaw(parts, signal) : dialWebSocket(parts, signal)
}

function headersOf({ dialler, service, unless }: TransportParts): Record<string, string> {
  const linked = unless?.()
  return { ...(linked ? { [REPLICA_HEADER]: linked } : {}), host: dialler.target.host, ...service.authorization('GET', LINK_PATH, '') }
}

async function dialRaw(parts: TransportParts, signal: AbortSignal): Promise<Dialled> {
  const { target } = parts.dialler
  const tcp = await parts.dialler.dial(signal)
  return new Promise((resolve, reject) => {
    const give = (cause: unknown) => {
      detach()
      tcp.on('error', () => undefined).destroy()
      reject(cause)
    }
    const upgrade = request({
      method: 'GET',
      path: prefixOf(target) + LINK_PATH,
      headers: { ...headersOf(parts), connection: 'Upgrade', upgrade: LINK_PROTOCOL },
      createConnection: () => tcp,
    })
    const detach = onAbort(signal, () => give(new UpgradeRefused('the upgrade got no answer in time')))
    upgrade.once('upgrade', (response, stream, head) => {
      if (response.headers.upgrade?.toLowerCase() !== LINK_PROTOCOL) return give(new UpgradeRefused('upgraded to something else'))
      detach()
      // The service speaks first, and its first bytes may have come with the answer.
      if (head.length > 0) stream.unshift(head)
      resolve({ stream, tcp, replica: replicaOf(response) })
    })
    upgrade.once('response', (response) => refusalOf(target, response).then(give, give))
    upgrade.on('error', (cause) => give(new UpgradeRefused('the upgrade got no answer', { cause })))
    upgrade.end()
  })
}

async function dialWebSocket(parts: TransportParts, signal: AbortSignal): Promise<Dialled> {
  const { target } = parts.dialler
  const [{ createWebSocketStream, WebSocket }, tcp] = await Promise.all([import('ws'), parts.dialler.dial(signal)])
  return new Promise((resolve, reject) => {
    // TLS, where there is any, is in the socket already: "ws:" whatever the scheme of the service.
    const socket = new WebSocket(`ws://${target.host}${prefixOf(target)}${LINK_PATH}`, LINK_PROTOCOL, {
      headers: headersOf(parts),
      createConnection: () => tcp,
      perMessageDeflate: false,
      // The mask protects old proxies from scripts in browsers; here it would only cost time.
      generateMask: () => undefined,
      skipUTF8Validation: true,
    })
    const give = (cause: unknown) => {
      detach()
      socket.on('error', () => undefined).terminate()
      tcp.destroy()
      reject(cause)
    }
    const detach = onAbort(signal, () => give(new UpgradeRefused('the upgrade got no answer in time')))
    let replica: string | null = null
    socket.once('upgrade', (response) => {
      replica = replicaOf(response)
    })
    socket.once('open', () => {
      detach()
      // Before the stream's own listener, which would end it: HTTP/2 that writes to a stream that has ended, and is not a socket,
      // fails an assertion of Node's and with it the process. A destroyed stream it takes well.
      socket.once('close', () => stream.destroy())
      const stream = createWebSocketStream(socket, { allowHalfOpen: false, highWaterMark: 1 << 20 })
      resolve({ stream, tcp, replica })
    })
    socket.once('unexpected-response', (_request, response) => void refusalOf(target, response).then(give, give))
    socket.once('error', (cause) => give(new UpgradeRefused('the upgrade got no answer', { cause })))
  })
}

/** An answer instead of an upgrade: the service's own "no" is final, all else says that the transport does not pass. */
async function refusalOf(target: URL, response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > 65_536) break
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString('utf8')
  const fault = parseProblem(target, { status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text })
  const final = fault.kind === 'denied' || fault.kind === 'stopped' || fault.code === 'NODE_UNKNOWN' || fault.code === 'NODE_LINKED_ALREADY'
  return final ? fault : new UpgradeRefused(`answered ${response.statusCode}`, { cause: fault })
}

function replicaOf(response: IncomingMessage): string | null {
  const said = response.headers[REPLICA_HEADER]
  return typeof said === 'string' ? said : null
}

/** For the log and the status: why a dial failed, in one line. */
export function reasonOf(cause: unknown): string {
  if (cause instanceof UpgradeRefused) return cause.message
  return cause instanceof Fault ? cause.message : Fault.from(cause).message
}
