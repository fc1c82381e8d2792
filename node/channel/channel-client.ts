import { type ClientHttp2Session, connect } from 'node:http2'
import type { PeerCertificate } from 'node:tls'
import { Fault } from '@postern/protocol/fault.ts'
import type { GatewayId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import type { Peer } from '@postern/protocol/node-api.ts'
import { FaultMessage } from '@postern/protocol/node-api.ts'
import { onAbort } from '../calls/dialler.ts'
import { H2_SETTINGS } from '../link/link-session.ts'
import { errorCode } from '../state/files.ts'
import type { NodeFile } from '../state/node-file.ts'
import { channelCredentials } from './credentials.ts'
import { peerIdentity } from './peer-identity.ts'

interface ChannelClientParts {
  readonly gatewayId: GatewayId
  readonly credentials: () => NodeFile['channel']
}

interface Kept {
  readonly address: string
  readonly session: ClientHttp2Session
}

/** Calls to other nodes over the channel; one kept connection a peer. */
export class ChannelClient {
  readonly #parts: ChannelClientParts
  readonly #kept = new Map<string, Kept>()

  constructor(parts: ChannelClientParts) {
    this.#parts = parts
  }

  /** The answer's JSON (undefined for 204), the peer's own Fault, or CHANNEL_BROKEN when there was no answer. */
  async call(peer: Peer, path: string, body: unknown, signal: AbortSignal): Promise<unknown> {
    const until = AbortSignal.any([signal, AbortSignal.timeout(LIMITS.callMs)])
    try {
      return await post(this.#session(peer), path, JSON.stringify(body), until)
    } catch (cause) {
      if (cause instanceof Fault || signal.aborted) throw cause
      this.#drop(peer.id)
      throw new Fault('CHANNEL_BROKEN', { at: `(${peer.name} at ${peer.channelAddress}: ${reasonOf(cause)})`, cause })
    }
  }

  /** Forgets nodes that are gone or have moved. */
  keep(peers: readonly Peer[]): void {
    for (const [id, kept] of this.#kept) {
      if (!peers.some((peer) => peer.id === id && peer.channelAddress === kept.address)) this.#drop(id)
    }
  }

  close(): void {
    for (const id of [...this.#kept.keys()]) this.#drop(id)
  }

  #drop(id: string): void {
    this.#kept.get(id)?.session.destroy()
    this.#kept.delete(id)
  }

  #session(peer: Peer): ClientHttp2Session {
    const address = peer.channelAddress
    if (address === null) throw new Fault('CHANNEL_BROKEN', { at: `(${peer.name} has no channel)` })
    const kept = this.#kept.get(peer.id)
    if (kept && kept.address === address && !kept.session.closed && !kept.session.destroyed) return kept.session
    if (kept) this.#drop(peer.id)
    const session = this.#connect(peer, address)
    this.#kept.set(peer.id, { address, session })
    session.once('close', () => {
      if (this.#kept.get(peer.id)?.session === session) this.#kept.delete(peer.id)
    })
    return session
  }

  #connect(peer: Peer, address: string): ClientHttp2Session {
    const { gatewayId, credentials } = this.#parts
    const session = connect(`https://${address}`, {
      ...channelCredentials(credentials()),
      settings: H2_SETTINGS,
      rejectUnauthorized: true,
      // Names and addresses say nothing here: the verified leaf must name the node that is meant.
      servername: 'node.postern.invalid',
      checkServerIdentity: (_host: string, certificate: PeerCertificate) => {
        const found = peerIdentity(certificate.subjectaltname)
        const meant = found?.gateway === gatewayId && found.node === peer.id
        return meant ? undefined : new Error(`another answered there: ${certificate.subjectaltname ?? 'nobody'}`)
      },
    })
    session.on('error', () => undefined)
    // A kept channel is no reason for the process to live on.
    session.once('connect', () => session.unref())
    return session
  }
}

const ANSWER_BYTES = 16 * LIMITS.bodyBytes

function post(session: ClientHttp2Session, path: string, body: string, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/json' })
    const chunks: Buffer[] = []
    let size = 0
    let status = 0
    const settle = (cause?: unknown) => {
      detach()
      session.off('error', settle)
      if (cause !== undefined) {
        stream.destroy()
        return reject(cause)
      }
      const text = Buffer.concat(chunks).toString('utf8')
      try {
        const value: unknown = text === '' ? undefined : JSON.parse(text)
        return status >= 400 ? reject(Fault.fromJson(FaultMessage.parse(value))) : resolve(value)
      } catch (unreadable) {
        return reject(unreadable)
      }
    }
    const detach = onAbort(signal, () => settle(signal.reason))
    // The session's error says why a connection could not be made; the stream's only that it is gone.
    session.once('error', settle)
    stream.on('error', (cause) => setImmediate(settle, cause))
    stream.once('close', () => setImmediate(() => status === 0 && settle(new Error('closed without an answer'))))
    stream.once('response', (headers) => {
      status = Number(headers[':status'])
    })
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > ANSWER_BYTES) return settle(new Error('the answer is too large'))
      chunks.push(chunk)
    })
    stream.once('end', () => status !== 0 && settle())
    stream.end(body)
  })
}

function reasonOf(cause: unknown): string {
  if (cause instanceof Error && cause.name === 'TimeoutError') return 'no answer in time'
  return errorCode(cause) ?? (cause instanceof Error ? cause.message : 'broke')
}
