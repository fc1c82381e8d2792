import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls'
import type { GatewayId } from '@postern/protocol/ids.ts'
import type { Peer } from '@postern/protocol/node-api.ts'
import { H2_SETTINGS } from '../link/link-session.ts'
import type { NodeFile } from '../state/node-file.ts'
import type { CertificateFiles } from './certificate-check.ts'
import type { ChannelMode } from './channel-mode.ts'
import { channelCredentials, MUTUAL_NAME, ownCredentials } from './credentials.ts'
import { callHello, EXPORTER, type HelloSelf, type HelloWay } from './hello.ts'
import { peerIdentity } from './peer-identity.ts'

export interface ChannelDialParts {
  readonly self: HelloSelf
  readonly credentials: () => NodeFile['channel']
  /** The user's own certificate. */
  readonly own: () => CertificateFiles | undefined
}

/** A new connection to a peer, which has proved that it is the one that is meant. Fails with an Error in words. */
export async function dialChannel(
  parts: ChannelDialParts,
  peer: Peer,
  to: { readonly mode: ChannelMode; readonly address: string },
  signal: AbortSignal,
): Promise<ClientHttp2Session> {
  const { host, port } = hostAndPort(to.address)
  if (to.mode === 'mutual') return mutual(parts, peer, to.address, signal)
  const own = to.mode === 'certificate' ? parts.own() : undefined
  if (to.mode === 'certificate' && !own) throw new Error('this node has no certificate of its own')
  const socket = own ? await tls(host, port, own, signal) : await plain(host, port, signal)
  try {
    if (peer.identity === undefined) throw new Error('the service does not say by which key it is known')
    const way: HelloWay = { mode: to.mode, binding: own ? bindingOf(socket as TLSSocket) : '' }
    await callHello(socket, parts.self, { id: peer.id, identity: peer.identity }, way, signal)
    const session = connectHttp2(`http://${to.address}`, { createConnection: () => socket, settings: H2_SETTINGS })
    session.on('error', () => undefined)
    return await connected(session, signal)
  } catch (cause) {
    socket.destroy()
    throw cause
  }
}

/** The same at both ends of one TLS session, and of no other. */
export const bindingOf = (socket: TLSSocket): string =>
  socket.exportKeyingMaterial(EXPORTER.bytes, EXPORTER.label, Buffer.alloc(0)).toString('base64url')

function mutual({ self, credentials }: ChannelDialParts, peer: Peer, address: string, signal: AbortSignal): Promise<ClientHttp2Session> {
  const session = connectHttp2(`https://${address}`, {
    ...channelCredentials(credentials()),
    settings: H2_SETTINGS,
    rejectUnauthorized: true,
    // Names and addresses say nothing here: the verified leaf must name the node that is meant.
    servername: MUTUAL_NAME,
    checkServerIdentity: (_host: string, certificate: PeerCertificate) => meant(certificate, self.gatewayId, peer.id),
  })
  session.on('error', () => undefined)
  return connected(session, signal)
}

function meant(certificate: PeerCertificate, gatewayId: GatewayId, nodeId: string): Error | undefined {
  const found = peerIdentity(certificate.subjectaltname)
  if (found?.gateway === gatewayId && found.node === nodeId) return undefined
  return new Error(`another answered there: ${certificate.subjectaltname ?? 'nobody'}`)
}

/** Chain, time and host are checked by node:tls: each of the names counts, wildcards too. */
function tls(host: string, port: number, own: CertificateFiles, signal: AbortSignal): Promise<TLSSocket> {
  const socket = connectTls({
    host,
    port,
    ...(own.ca === undefined ? {} : { ca: own.ca }),
    minVersion: ownCredentials(own).minVersion,
    rejectUnauthorized: true,
    ALPNProtocols: ['h2'],
    ...(isIP(host) === 0 ? { servername: host } : {}),
  })
  return settled(socket, 'secureConnect', signal)
}

function plain(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  return settled(connectTcp({ host, port, noDelay: true }), 'connect', signal)
}

function settled<Kind extends Socket>(socket: Kind, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<Kind> {
  return new Promise((resolve, reject) => {
    const aborted = () => socket.destroy(signal.reason instanceof Error ? signal.reason : new Error('given up'))
    signal.addEventListener('abort', aborted, { once: true })
    socket.once(event, () => {
      signal.removeEventListener('abort', aborted)
      resolve(socket)
    })
    // It stays: a socket that breaks later has its reader.
    socket.on('error', reject)
    socket.once('close', () => reject(new Error('closed before it was open')))
    if (signal.aborted) aborted()
  })
}

function connected(session: ClientHttp2Session, signal: AbortSignal): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const aborted = () => session.destroy(signal.reason instanceof Error ? signal.reason : undefined)
    const done = () => {
      signal.removeEventListener('abort', aborted)
      // A kept channel is no reason for the process to live on.
      session.unref()
      resolve(session)
    }
    signal.addEventListener('abort', aborted, { once: true })
    session.once('error', reject)
    session.once('close', () => reject(new Error('closed before it was open')))
    if (session.connecting) session.once('connect', done)
    else done()
  })
}

/** "[::1]:8050" and "node1.example:8050". */
function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const url = new URL(`http://${address}`)
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 80) }
}
