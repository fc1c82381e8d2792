import type { Socket } from 'node:net'
import { type SecureContext, TLSSocket } from 'node:tls'
import { Fault } from '@postern/protocol/fault.ts'
import { isLoopbackAddress } from '../http/loopback-address.ts'
import {
  ASK_PASSWORD,
  type FirstMessage,
  firstLength,
  negotiateVersion,
  parseFirst,
  passwordLength,
  type SessionKey,
} from './wire-messages.ts'

/** The first byte of a TLS handshake: clients of PostgreSQL 17 and later may begin with it (sslnegotiation=direct). */
const TLS_HANDSHAKE = 0x16
const ALPN = 'postgresql'

export type Wanted =
  | { readonly is: 'cancel'; readonly key: SessionKey; readonly socket: Socket }
  | (Extract<FirstMessage, { is: 'startup' }> & { readonly socket: Socket; readonly password: string })

export interface HandshakeParts {
  readonly socket: Socket
  readonly context: () => SecureContext
  /** Told when TLS takes the place of the socket: who must be told of a failure. */
  readonly onSocket: (socket: Socket) => void
}

/**
 *   GSS? ──► N   SSL? ──► S, TLS   startup ──► password? ──► password
 *
 * Each at most once; bytes behind an SSL request that are not TLS are an attack (CVE-2021-23222) and end it.
 */
export async function shakeHands({ socket: plain, context, onSocket }: HandshakeParts): Promise<Wanted | undefined> {
  const address = plain.remoteAddress ?? ''
  let socket = plain
  const upgrade = (direct: boolean) => {
    socket = new TLSSocket(plain, { isServer: true, secureContext: context(), ...(direct ? { ALPNProtocols: [ALPN] } : {}) })
    socket.on('error', () => undefined)
    onSocket(socket)
  }
  const asked = new Set<string>()
  for (;;) {
    const head = await take(socket, 4)
    if (!head) return undefined
    if (head[0] === TLS_HANDSHAKE && asked.size === 0) {
      asked.add('ssl').add('gss')
      plain.unshift(head)
      upgrade(true)
      continue
    }
    const body = await take(socket, firstLength(head))
    if (!body) return undefined
    const first = parseFirst(body)
    if (first.is === 'cancel') return { is: 'cancel', key: first.key, socket }
    if (first.is === 'startup') return await withPassword(first, socket, address)
    if (asked.has(first.is) || socket.readableLength > 0) throw new Fault('WIRE_INVALID')
    asked.add(first.is)
    socket.write(first.is === 'ssl' ? 'S' : 'N')
    if (first.is === 'ssl') upgrade(false)
  }
}

async function withPassword(first: Extract<FirstMessage, { is: 'startup' }>, socket: Socket, address: string): Promise<Wanted | undefined> {
  if (!(socket instanceof TLSSocket) && !isLoopbackAddress(address)) throw new Fault('TLS_REQUIRED')
  if (first.negotiate) socket.write(negotiateVersion(first.negotiate.options))
  socket.write(ASK_PASSWORD)
  const head = await take(socket, 5)
  // psql leaves here to ask its user, and comes again.
  if (!head) return undefined
  const password = await take(socket, passwordLength(head))
  return password && { ...first, socket, password: password.toString('utf8', 0, password.length - 1) }
}

/**
 * Exactly so many bytes; undefined when the client has left. Whatever follows stays in the socket. One listener until they are all there: each
 * that is added is told at once of bytes that have come, so to add one again and again for those that are missing would never let the process
 * do anything else.
 */
function take(socket: Socket, count: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const settle = (chunk: Buffer | undefined) => {
      socket.off('readable', look).off('end', gone).off('close', gone)
      resolve(chunk)
    }
    const gone = () => settle(undefined)
    const look = () => {
      const chunk = socket.read(count) as Buffer | null
      if (chunk) settle(chunk.length === count ? chunk : undefined)
      else if (socket.destroyed || socket.readableEnded) settle(undefined)
    }
    socket.on('readable', look).once('end', gone).once('close', gone)
    look()
  })
}
