import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { GatewayId, NodeId } from '@postern/protocol/ids.ts'
import type { Router } from '../app/router.ts'
import { H2_SETTINGS } from '../link/link-session.ts'
import { errorCode } from '../state/files.ts'
import type { NodeFile } from '../state/node-file.ts'
import { channelCredentials } from './credentials.ts'
import { peerIdentity } from './peer-identity.ts'

interface ChannelServerParts {
  readonly port: number
  readonly gatewayId: GatewayId
  readonly credentials: NodeFile['channel']
  readonly router: Router
  readonly log: Log
}

/** The door for the other nodes of the gateway: HTTP/2 over mutual TLS 1.3, on by default and without any set-up. */
export class ChannelServer implements Component {
  readonly name = 'channel'
  readonly #parts: ChannelServerParts
  readonly #sessions = new Map<ServerHttp2Session, NodeId>()
  #server: Http2SecureServer | undefined

  constructor(parts: ChannelServerParts) {
    this.#parts = parts
  }

  get port(): number {
    return (this.#server?.address() as AddressInfo | null)?.port ?? this.#parts.port
  }

  async start(): Promise<void> {
    const { port, credentials, log } = this.#parts
    const server = createSecureServer({
      ...channelCredentials(credentials),
      requestCert: true,
      rejectUnauthorized: true,
      settings: H2_SETTINGS,
      handshakeTimeout: 10_000,
    })
    server.on('session', (session) => this.#admit(session))
    server.on('tlsClientError', (cause) => log.debug({ reason: errorCode(cause) }, 'a stranger was refused at the channel'))
    server.on('sessionError', (cause) => log.debug({ err: cause }, 'a channel broke'))
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(listenFault(port, cause)))
      server.listen(port, resolve)
    })
    server.on('error', (cause) => log.error({ err: cause }, 'the channel server failed'))
    this.#server = server
    log.info({ port: this.port }, 'channel is open')
  }

  /** New connections get the new certificate; those that stand go on. */
  renew(credentials: NodeFile['channel']): void {
    this.#server?.setSecureContext(channelCredentials(credentials))
  }

  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (!server) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const session of this.#sessions.keys()) session.destroy()
    await closed
  }

  /** The certificate has been verified by TLS; here it must also name a node of this gateway. */
  #admit(session: ServerHttp2Session): void {
    const { gatewayId, router, log } = this.#parts
    session.on('error', (cause) => log.debug({ err: cause }, 'a channel broke'))
    const socket = session.socket as TLSSocket
    const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined
    const peer = peerIdentity(certificate?.subjectAltName)
    if (!peer || peer.gateway !== gatewayId) {
      log.warn({ peer: certificate?.subjectAltName ?? 'none' }, 'a node of another gateway was refused at the channel')
      session.destroy()
      return
    }
    this.#sessions.set(session, peer.node)
    session.once('close', () => this.#sessions.delete(session))
    session.on('stream', (stream, headers) => router.serve(stream, headers, { is: 'channel', peer: peer.node }))
  }
}

function listenFault(port: number, cause: unknown): Fault {
  const code = errorCode(cause)
  if (code === 'EADDRINUSE') return new Fault('PORT_TAKEN', { at: `(channel port ${port}; choose another with --channel-port)`, cause })
  return new Fault('CONFIG_INVALID', { at: `--channel-port ${port}: ${code ?? 'cannot be opened'}`, cause })
}
