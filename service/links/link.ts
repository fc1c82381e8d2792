import http2, { type ClientHttp2Session, type ClientHttp2Stream, constants, type OutgoingHttpHeaders } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { Log } from '@postern/base/log.ts'
import type { Pulse } from '@postern/base/pulse.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { NodeId, ReplicaId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { NODE_PATHS, ORDER_HEADER } from '@postern/protocol/link.ts'
import { collectAnswer } from './link-answer.ts'
import { answerLines } from './link-lines.ts'

export type LinkTransport = 'raw' | 'websocket'

export interface LinkParts {
  /** Who answers at its other end. */
  readonly nodeId: NodeId | ReplicaId
  readonly transport: LinkTransport
  /** Ready for HTTP/2: the 101 has been written. */
  readonly duplex: Duplex
  /** Bytes that have come in on the TCP socket below; they prove life as well as a PING's answer does. */
  readonly bytesRead: () => number
  readonly pulse: Pulse
  readonly log: Log
}

/** HTTP/2's own book-keeping, not a cap on data: its 10 MB default is smaller than our windows. */
const SESSION_MEMORY_MB = 256

/**
 * One node's connection. The node is the HTTP/2 server on it, we are its client: flow control, cancelling and saying
 * goodbye are HTTP/2's. Silent death is found by PING within LIMITS.pingMs + LIMITS.pingTimeoutMs; where beats come in there is none.
 */
export class Link {
  readonly nodeId: NodeId | ReplicaId
  readonly transport: LinkTransport
  readonly #session: ClientHttp2Session
  readonly #parts: LinkParts
  readonly #ended: Promise<void>
  #unwatch: (() => void) | undefined
  #beats: ClientHttp2Stream | undefined

  constructor(parts: LinkParts) {
    this.#parts = parts
    this.nodeId = parts.nodeId
    this.transport = parts.transport
    this.#session = http2.connect('http://node', {
      createConnection: () => parts.duplex,
      settings: { initialWindowSize: LIMITS.streamWindowBytes, maxFrameSize: LIMITS.frameBytes, enablePush: false },
      maxSessionMemory: SESSION_MEMORY_MB,
    })
    this.#ended = new Promise((resolve) => this.#session.once('close', resolve))
    this.#session.on('error', (cause) => parts.log.debug({ node: parts.nodeId, reason: String(cause) }, 'link failed'))
    this.#session.once('connect', () => {
      if (!this.#session.destroyed) this.#session.setLocalWindowSize(LIMITS.sessionWindowBytes)
    })
    // The HTTP server's sockets may be half open: a node that has ended its half is gone.
    parts.duplex.once('end', () => this.destroy())
    // Or this stream, which never ends by itself, would keep the session from closing.
    this.#session.once('goaway', () => this.#beats?.close(constants.NGHTTP2_NO_ERROR))
    this.#session.once('close', () => {
      this.#unwatch?.()
      parts.duplex.destroy()
    })
  }

  /** Settles when the link is gone, for whatever reason. */
  get ended(): Promise<void> {
    return this.#ended
  }

  get alive(): boolean {
    return !this.#session.destroyed && !this.#session.closed
  }

  /** Begins the PINGs. */
  watch(): void {
    const { pulse, bytesRead, log } = this.#parts
    this.#unwatch ??= pulse.watch({
      bytesRead,
      ask: (answered) => {
        if (!this.#session.destroyed) this.#session.ping((error) => error === null && answered())
      },
      dead: () => {
        log.info({ node: this.nodeId }, 'link is silent')
        this.destroy()
      },
    })
  }

  /** Takes the node's beats by this link, where it knows of that. */
  takeBeats(answer: (line: string) => string | Promise<string>): void {
    if (!this.alive) return
    this.#beats = this.openDuplex(NODE_PATHS.beats, {})
    answerLines(this.#beats, answer)
  }

  /** A request whose answer streams. Fails with NODE_OFFLINE when the link is gone. */
  open(path: string, body: string): ClientHttp2Stream {
    if (!this.alive) throw new Fault('NODE_OFFLINE')
    try {
      const stream = this.#session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/json' })
      stream.end(body)
      return stream
    } catch (cause) {
      throw new Fault('NODE_OFFLINE', { cause })
    }
  }

  /** A connection's bytes both ways; the order stands in a header. Fails with NODE_OFFLINE when the link is gone. */
  openDuplex(path: string, order: unknown): ClientHttp2Stream {
    if (!this.alive) throw new Fault('NODE_OFFLINE')
    try {
      const header = Buffer.from(JSON.stringify(order)).toString('base64url')
      return this.#session.request({ ':method': 'POST', ':path': path, [ORDER_HEADER]: header }, { endStream: false })
    } catch (cause) {
      throw new Fault('NODE_OFFLINE', { cause })
    }
  }

  /** Passes on a request of another replica; its body follows. */
  relay(headers: OutgoingHttpHeaders): ClientHttp2Stream {
    if (!this.alive) throw new Fault('NODE_OFFLINE')
    try {
      return this.#session.request({ ...headers, ':method': 'POST' }, { endStream: false })
    } catch (cause) {
      throw new Fault('NODE_OFFLINE', { cause })
    }
  }

  /** JSON there and back. Faults of the node come as they are. */
  call(path: string, body: unknown, signal: AbortSignal): Promise<unknown> {
    return collectAnswer(this.open(path, JSON.stringify(body)), signal)
  }

  /** Says goodbye, lets what is in flight end, and cuts when `deadline` aborts. */
  async close(deadline: AbortSignal): Promise<void> {
    if (!this.#session.destroyed) this.#session.close()
    this.#beats?.close(constants.NGHTTP2_NO_ERROR)
    const cut = () => this.destroy()
    deadline.addEventListener('abort', cut, { once: true })
    if (deadline.aborted) cut()
    await this.#ended
    deadline.removeEventListener('abort', cut)
  }

  destroy(): void {
    // With an error: streams in flight then fail, without one they end as if whole.
    this.#session.destroy(new Fault('NODE_OFFLINE'))
    this.#parts.duplex.destroy()
  }
}
