import { constants, type IncomingHttpHeaders, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import { Background } from '@postern/base/background.ts'
import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { NodeId, type ReplicaId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { LINK_PROTOCOL, ORDER_HEADER, STAGE_HEADER } from '@postern/protocol/link.ts'
import type { UpgradeHandler } from '../http/http-server.ts'
import { statusOf } from '../http/problem.ts'
import { refuse } from '../links/link-door.ts'
import type { LinkRegistry } from '../links/link-registry.ts'
import { forward } from './forward.ts'
import { answerCall, type ReplicaCalls } from './replica-calls.ts'
import { NEWS_PATH, type ReplicaNews, UNREAD_BYTES } from './replica-news.ts'
import { checkReplicaProof } from './replica-proof.ts'
import type { ReplicaRow } from './replica-repository.ts'

const SESSION_MEMORY_MB = 256

export interface ReplicaDoorParts {
  readonly self: ReplicaId
  /** As it has written itself into the database. */
  readonly known: (id: ReplicaId) => Promise<ReplicaRow | undefined>
  /** Told who has come: it may be new. */
  readonly meet: (other: ReplicaRow) => void
  readonly links: Pick<LinkRegistry, 'relay'>
  /** First what is so, then what changes. Returns how to stop. */
  readonly follow: (tell: (news: ReplicaNews) => void) => () => void
  readonly calls: ReplicaCalls
  readonly clock: Clock
  readonly log: Log
}

/** Takes the links of other replicas: they hear our news and reach our nodes over them. */
export class ReplicaDoor implements Component {
  readonly name = 'replica-door'
  readonly #parts: ReplicaDoorParts
  readonly #sessions = new Set<ServerHttp2Session>()
  readonly #background: Background

  constructor(parts: ReplicaDoorParts) {
    this.#parts = parts
    this.#background = new Background((cause) => parts.log.error({ err: cause }, "a replica's upgrade failed"))
  }

  /** For HttpServer.onUpgrade(REPLICA_LINK_PATH, …). */
  readonly handler: UpgradeHandler = (...asked) => this.#background.run(() => this.#take(...asked))

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    for (const session of this.#sessions) session.destroy(undefined, constants.NGHTTP2_CONNECT_ERROR)
    await this.#background.idle()
  }

  async #take(...[request, socket, head, proven]: Parameters<UpgradeHandler>): Promise<void> {
    const { meet } = this.#parts
    let other: ReplicaRow
    try {
      other = await checkReplicaProof(request.headers.authorization, this.#parts)
      proven()
    } catch (cause) {
      return refuse(socket, Fault.from(cause))
    }
    if (socket.destroyed) return
    meet(other)
    if (head.length > 0) socket.unshift(head)
    const answer = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${LINK_PROTOCOL}\r\n\r\n`
    // HTTP/2 must start in this callback: in the same tick as the write it aborts the process on a TLS socket.
    socket.write(answer, (error) => {
      if (!error && !socket.destroyed) this.#serve(socket)
    })
  }

  #serve(socket: Duplex): void {
    if ('setNoDelay' in socket && typeof socket.setNoDelay === 'function') socket.setNoDelay(true)
    if ('setTimeout' in socket && typeof socket.setTimeout === 'function') socket.setTimeout(0)
    const settings = { initialWindowSize: LIMITS.streamWindowBytes, maxFrameSize: LIMITS.frameBytes }
    const session = performServerHandshake(socket, { settings, maxSessionMemory: SESSION_MEMORY_MB })
    this.#sessions.add(session)
    session.setLocalWindowSize(LIMITS.sessionWindowBytes)
    session.on('error', () => undefined)
    session.once('close', () => {
      this.#sessions.delete(session)
      socket.destroy()
    })
    socket.once('end', () => session.destroy(undefined, constants.NGHTTP2_CONNECT_ERROR))
    session.on('stream', (stream, headers) => this.#answer(stream, headers))
  }

  #answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on('error', () => undefined)
    const path = headers[':path'] ?? ''
    if (path === NEWS_PATH) {
      this.#tell(stream)
      return
    }
    const call = this.#parts.calls[path]
    if (call) {
      this.#background.run(() => answerCall(stream, call))
      return
    }
    try {
      const [, id, rest] = /^\/([^/]+)(\/.+)$/.exec(path) ?? []
      const order = headers[ORDER_HEADER]
      const type = headers['content-type']
      const to = this.#parts.links.relay(NodeId.parse(id), {
        ':path': rest,
        ...(type === undefined ? {} : { 'content-type': type }),
        ...(order === undefined ? {} : { [ORDER_HEADER]: order }),
      })
      forward(stream, to)
    } catch (cause) {
      // Nothing has left: whoever asks may try another node.
      const fault = Fault.from(cause)
      stream.respond({ ':status': statusOf(fault), 'content-type': 'application/json', [STAGE_HEADER]: 'before-store' })
      stream.end(JSON.stringify(fault.toJSON()))
    }
  }

  #tell(stream: ServerHttp2Stream): void {
    stream.respond({ ':status': 200, 'content-type': 'application/x-ndjson' })
    const stop = this.#parts.follow((news) => {
      if (stream.writableLength > UNREAD_BYTES) stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM)
      else if (!stream.destroyed) stream.write(`${JSON.stringify(news)}\n`)
    })
    stream.once('close', stop)
  }
}
