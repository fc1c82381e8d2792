import type { ClientHttp2Session } from 'node:http2'
import { Fault } from '@postern/protocol/fault.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import type { Peer } from '@postern/protocol/node-api.ts'
import { FaultMessage } from '@postern/protocol/node-api.ts'
import { onAbort } from '../calls/dialler.ts'
import { errorCode } from '../state/files.ts'
import { type ChannelDialParts, dialChannel } from './channel-dial.ts'
import type { ChannelMode } from './channel-mode.ts'

interface ChannelClientParts extends ChannelDialParts {
  /** By which mode a peer is called; undefined when none is common to both. */
  readonly modeFor: (peer: Peer) => ChannelMode | undefined
}

interface Kept {
  readonly address: string
  readonly mode: ChannelMode
  readonly opening: Promise<ClientHttp2Session>
  session?: ClientHttp2Session
  /** Calls that wait for it or are under way on it. */
  users: number
  /** Another one has its place: it ends with its last call. */
  retired: boolean
}

/** What a session says of a request that it has not sent. */
const UNSENT: ReadonlySet<string> = new Set(['ERR_HTTP2_GOAWAY_SESSION', 'ERR_HTTP2_INVALID_SESSION'])

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
      return await this.#once(peer, path, body, until).catch((cause: unknown) => {
        // The other end has given the connection up before this call was sent on it.
        if (UNSENT.has(errorCode(cause) ?? '')) return this.#once(peer, path, body, until)
        throw cause
      })
    } catch (cause) {
      if (cause instanceof Fault || signal.aborted) throw cause
      throw new Fault('CHANNEL_BROKEN', { at: `(${peer.name} at ${peer.channelAddress}: ${reasonOf(cause)})`, cause })
    }
  }

  async #once(peer: Peer, path: string, body: unknown, until: AbortSignal): Promise<unknown> {
    const kept = this.#connection(peer)
    kept.users += 1
    try {
      return await post(await opened(kept, until), path, JSON.stringify(body), until)
    } catch (cause) {
      if (!(cause instanceof Fault) && this.#kept.get(peer.id) === kept) this.#drop(peer.id)
      throw cause
    } finally {
      kept.users -= 1
      if (kept.retired && kept.users === 0) kept.session?.close()
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
    const kept = this.#kept.get(id)
    this.#kept.delete(id)
    kept?.opening.then(
      (session) => session.destroy(),
      () => undefined,
    )
  }

  #connection(peer: Peer): Kept {
    const address = peer.channelAddress
    if (address === null) throw new Fault('CHANNEL_BROKEN', { at: `(${peer.name} has no channel)` })
    const mode = this.#parts.modeFor(peer)
    if (mode === undefined) {
      throw new Fault('CHANNEL_BROKEN', {
        at: `(${peer.name} takes ${peer.channelAccepts?.join(', ') ?? 'nothing'}, which this node does not speak)`,
      })
    }
    const kept = this.#kept.get(peer.id)
    if (kept && kept.address === address && kept.mode === mode && !kept.session?.closed && !kept.session?.destroyed) return kept
    // By another mode from now on: what is under way by the old one ends by itself.
    if (kept && kept.address === address && kept.mode !== mode) this.#retire(peer.id, kept)
    else if (kept) this.#drop(peer.id)
    return this.#connect(peer, address, mode)
  }

  #retire(id: string, kept: Kept): void {
    this.#kept.delete(id)
    kept.retired = true
    if (kept.users === 0) kept.session?.close()
  }

  #connect(peer: Peer, address: string, mode: ChannelMode): Kept {
    const opening = dialChannel(this.#parts, peer, { mode, address }, AbortSignal.timeout(LIMITS.dialMs))
    const kept: Kept = { address, mode, opening, users: 0, retired: false }
    this.#kept.set(peer.id, kept)
    const forget = () => this.#kept.get(peer.id) === kept && this.#kept.delete(peer.id)
    opening.then((session) => {
      kept.session = session
      if (kept.retired && kept.users === 0) session.close()
      session.once('close', forget)
    }, forget)
    return kept
  }
}

/** Who has to wait no longer leaves; the connection may still become of use to others. */
function opened(kept: Kept, signal: AbortSignal): Promise<ClientHttp2Session> {
  if (kept.session) return Promise.resolve(kept.session)
  return new Promise((resolve, reject) => {
    const detach = onAbort(signal, () => reject(signal.reason))
    kept.opening.then(resolve, reject).finally(detach)
  })
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
