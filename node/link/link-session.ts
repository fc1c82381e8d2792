import { constants, performServerHandshake, type ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { Pulse } from '@postern/base/pulse.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import type { Router } from '../app/router.ts'
import type { Dialled } from './transport.ts'

/**
 * HTTP/2's own book-keeping, not a cap on data: with the default of 10 MB, less than the windows, a session refuses streams
 * while slow readers hold others back.
 */
const SESSION_MEMORY_MB = 256

export const H2_SETTINGS = { initialWindowSize: LIMITS.streamWindowBytes, maxFrameSize: LIMITS.frameBytes } as const

/** The node as HTTP/2 server on a connection that it dialled. Lives until `closed`. */
export class LinkSession {
  readonly #session: ServerHttp2Session
  readonly #tcp: Socket
  /** The replica at its other end; null where that does not say. */
  readonly replica: string | null
  /** Resolves with the reason once the connection is gone; never rejects. */
  readonly closed: Promise<string>
  #reason: string | undefined

  private constructor(session: ServerHttp2Session, dialled: Dialled) {
    this.#session = session
    this.#tcp = dialled.tcp
    this.replica = dialled.replica
    const { promise, resolve } = Promise.withResolvers<string>()
    this.closed = promise
    const over = () => resolve(this.#reason ?? 'closed by the service')
    session.once('close', over)
    // A session that has bytes to send waits with its end for a connection that takes none any more: for minutes.
    dialled.tcp.once('close', over)
    session.on('error', (cause) => {
      this.#reason ??= cause instanceof Error ? cause.message : 'broke'
    })
    session.once('close', () => {
      // Over a WebSocket the TCP connection would outlive its session while it waits for a close frame.
      dialled.stream.destroy()
      dialled.tcp.destroy()
    })
  }

  /** Serves on the connection; settles when the service has answered as an HTTP/2 client. */
  static async open(dialled: Dialled, router: Router, signal: AbortSignal): Promise<LinkSession> {
    dialled.tcp.setNoDelay(true)
    dialled.stream.on('error', () => undefined)
    const http2 = performServerHandshake(dialled.stream, { settings: H2_SETTINGS, maxSessionMemory: SESSION_MEMORY_MB })
    const session = new LinkSession(http2, dialled)
    http2.on('stream', (stream, headers) => router.serve(stream, headers, { is: 'link' }))
    http2.setLocalWindowSize(LIMITS.sessionWindowBytes)
    await session.#answered(signal)
    return session
  }

  /** Gives the connection up when no sign of life comes in time. Returns how to end that. */
  watch(pulse: Pulse): () => void {
    return pulse.watch({
      bytesRead: () => this.#tcp.bytesRead,
      ask: (answered) => {
        if (!this.#session.destroyed) this.#session.ping((cause) => cause === null && answered())
      },
      dead: () => this.destroy('no answer to a ping'),
    })
  }

  /** Lets streams in hand end: the service sees GOAWAY. */
  close(): void {
    if (!this.#session.closed) this.#session.close()
  }

  destroy(reason: string): void {
    this.#reason ??= reason
    // With a code: streams in flight then fail, without one they end as if whole.
    if (!this.#session.destroyed) this.#session.destroy(undefined, constants.NGHTTP2_CONNECT_ERROR)
    this.#tcp.destroy()
  }

  #answered(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (cause: unknown) => {
        signal.removeEventListener('abort', onAbort)
        this.#session.off('remoteSettings', onSettings).off('close', onClose)
        if (cause === undefined) return resolve()
        this.destroy('no HTTP/2 came')
        reject(cause)
      }
      const onSettings = () => end(undefined)
      const onClose = () => end(new Error(this.#reason ?? 'closed before any HTTP/2 came'))
      const onAbort = () => end(signal.reason)
      this.#session.once('remoteSettings', onSettings).once('close', onClose)
      if (signal.aborted) onAbort()
      else signal.addEventListener('abort', onAbort, { once: true })
    })
  }
}
