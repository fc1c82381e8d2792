import { performServerHandshake, type ServerHttp2Session } from 'node:http2'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createSecureContext, createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls'
import { Background } from '@postern/base/background.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { Strangers } from '@postern/base/strangers.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { NodeId } from '@postern/protocol/ids.ts'
import type { Router } from '../app/router.ts'
import { H2_SETTINGS } from '../link/link-session.ts'
import { errorCode } from '../state/files.ts'
import { bindingOf, type ChannelDialParts } from './channel-dial.ts'
import type { ChannelMode } from './channel-mode.ts'
import { channelCredentials, MUTUAL_NAME, ownCredentials } from './credentials.ts'
import { answerHello, type HelloDoor } from './hello.ts'
import { peerIdentity } from './peer-identity.ts'

interface ChannelServerParts extends Omit<ChannelDialParts, 'self'> {
  readonly port: number
  readonly self: Omit<HelloDoor, 'accepted'>
  /** By which modes it can be called now. */
  readonly accepted: () => readonly ChannelMode[]
  readonly router: Router
  readonly log: Log
}

const HELLO_MS = 10_000
/** Requests of one connection at a time. A dispatcher has one or two on their way. */
const STREAMS = 256
/** Connections of one node. It keeps one; while the mode changes calls in flight hold those before it. Of more the oldest is ended. */
const OF_PEER = 256
/** Callers that have not said who they are; of more the oldest is cut, so that who opens many keeps no node out. */
const STRANGERS = { ofNetwork: 200, inAll: 500 } as const
/** The first byte of a TLS ClientHello's record. */
const TLS_RECORD = 0x16

/** The door for the other nodes of the gateway: HTTP/2, by mutual certificates, the user's own, or in clear, all on one port. */
export class ChannelServer implements Component {
  readonly name = 'channel'
  readonly #parts: ChannelServerParts
  readonly #sessions = new Map<ServerHttp2Session, ChannelMode>()
  /** Of each peer, oldest first. */
  readonly #ofPeer = new Map<NodeId, Set<ServerHttp2Session>>()
  readonly #strangers = new Strangers(STRANGERS)
  readonly #stopping = new AbortController()
  readonly #background: Background
  #server: Server | undefined
  #tls: TlsServer | undefined

  constructor(parts: ChannelServerParts) {
    this.#parts = parts
    this.#background = new Background((cause) => parts.log.debug({ reason: words(cause) }, 'a stranger was refused at the channel'))
  }

  get port(): number {
    return (this.#server?.address() as AddressInfo | null)?.port ?? this.#parts.port
  }

  async start(): Promise<void> {
    const { port, credentials, log } = this.#parts
    const tls = createTlsServer({
      ...this.#standing(),
      ALPNProtocols: ['h2'],
      requestCert: true,
      // Only of mutual callers a certificate is wanted, and held against the service's CA: see #mutual.
      rejectUnauthorized: false,
      handshakeTimeout: HELLO_MS,
      SNICallback: (name, done) =>
        done(null, createSecureContext(name === MUTUAL_NAME ? channelCredentials(credentials()) : this.#standing())),
    })
    tls.on('secureConnection', (socket) => this.#background.run(() => this.#secured(socket)))
    tls.on('tlsClientError', (cause) => log.debug({ reason: errorCode(cause) }, 'a stranger was refused at the channel'))
    const server = createServer({ noDelay: true }, (socket) => this.#connected(socket))
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(listenFault(port, cause)))
      server.listen(port, resolve)
    })
    server.on('error', (cause) => log.error({ err: cause }, 'the channel server failed'))
    this.#server = server
    this.#tls = tls
    log.info({ port: this.port }, 'channel is open')
  }

  /** New connections get the new certificates; those that stand go on. */
  renew(): void {
    this.#tls?.setSecureContext(this.#standing())
  }

  /** What was opened by a mode that is not accepted any more may finish what it does, and then ends. */
  settle(): void {
    const accepted = this.#parts.accepted()
    for (const [session, mode] of this.#sessions) if (!accepted.includes(mode)) session.close()
  }

  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    this.#stopping.abort(new Fault('STOPPING'))
    if (!server) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const session of this.#sessions.keys()) session.destroy()
    this.#strangers.cutAll()
    await closed
    await this.#background.idle()
  }

  /** For callers that ask for no name, or for this host. */
  #standing() {
    const own = this.#parts.own()
    return own ? ownCredentials(own) : channelCredentials(this.#parts.credentials())
  }

  /** The first byte says whether it is TLS: one port takes all modes, or a change of the mode could not roll. */
  #connected(socket: Socket): void {
    socket.on('error', () => undefined)
    this.#strangers.add(socket)
    socket.setTimeout(HELLO_MS, () => socket.destroy())
    socket.once('data', (first: Buffer) => {
      socket.pause()
      socket.setTimeout(0)
      socket.unshift(first)
      if (first[0] === TLS_RECORD) this.#tls?.emit('connection', socket)
      else this.#background.run(() => this.#greet(socket, { mode: 'off', binding: '' }))
    })
  }

  async #secured(socket: TLSSocket): Promise<void> {
    socket.on('error', () => undefined)
    if (socket.servername === MUTUAL_NAME) this.#mutual(socket)
    else await this.#greet(socket, { mode: 'certificate', binding: bindingOf(socket) })
  }

  /** TLS has held the certificate against the service's CA; it must also name a node of this gateway. */
  #mutual(socket: TLSSocket): void {
    const { self, log } = this.#parts
    const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined
    const peer = peerIdentity(certificate?.subjectAltName)
    if (!peer || peer.gateway !== self.gatewayId || !this.#parts.accepted().includes('mutual')) {
      log.warn({ peer: certificate?.subjectAltName ?? 'none' }, 'a node of another gateway was refused at the channel')
      socket.destroy()
      return
    }
    this.#admit(socket, peer.node, 'mutual')
  }

  async #greet(socket: Socket, way: { readonly mode: ChannelMode; readonly binding: string }): Promise<void> {
    const until = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(HELLO_MS)])
    try {
      const peer = await answerHello(socket, { ...this.#parts.self, accepted: this.#parts.accepted() }, way, until)
      this.#admit(socket, peer, way.mode)
    } catch (cause) {
      // What was written may still leave: the caller is told why.
      socket.destroySoon()
      throw cause
    }
  }

  #admit(socket: Socket, peer: NodeId, mode: ChannelMode): void {
    const { router, log } = this.#parts
    const session = performServerHandshake(socket, { settings: { ...H2_SETTINGS, maxConcurrentStreams: STREAMS } })
    session.on('error', (cause) => log.debug({ err: cause }, 'a channel broke'))
    this.#sessions.set(session, mode)
    this.#bound(session, peer)
    session.once('close', () => {
      this.#sessions.delete(session)
      socket.destroy()
    })
    // Who closes his half has nothing more to say: with calls left open the session would stay.
    socket.once('end', () => session.destroy())
    session.on('stream', (stream, headers) => router.serve(stream, headers, { is: 'channel', peer }))
    this.#strangers.proven(socket)
  }

  /** Of a peer that opens more than it can need the oldest goes. */
  #bound(session: ServerHttp2Session, peer: NodeId): void {
    const all = this.#ofPeer.get(peer) ?? new Set()
    this.#ofPeer.set(peer, all.add(session))
    const [oldest] = all
    if (all.size > OF_PEER && oldest) {
      all.delete(oldest)
      oldest.destroy()
    }
    session.once('close', () => {
      all.delete(session)
      if (all.size === 0 && this.#ofPeer.get(peer) === all) this.#ofPeer.delete(peer)
    })
  }
}

const words = (cause: unknown): string => (cause instanceof Error ? cause.message.slice(0, 300) : 'unknown')

function listenFault(port: number, cause: unknown): Fault {
  const code = errorCode(cause)
  if (code === 'EADDRINUSE') return new Fault('PORT_TAKEN', { at: `(channel port ${port}; choose another with --channel-port)`, cause })
  return new Fault('CONFIG_INVALID', { at: `--channel-port ${port}: ${code ?? 'cannot be opened'}`, cause })
}
