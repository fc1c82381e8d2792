import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Background } from '@postern/base/background.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { NodeId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { LINK_PATH, LINK_PROTOCOL, REPLICA_HEADER } from '@postern/protocol/link.ts'
import { createWebSocketStream, WebSocketServer } from 'ws'
import type { UpgradeHandler } from '../http/http-server.ts'
import type { Doorkeeper } from '../http/needs.ts'
import { headersOf, problemOf } from '../http/problem.ts'
import type { LinkRegistry } from './link-registry.ts'

const EMPTY = new Uint8Array()

export interface LinkDoorParts {
  /** Who takes the links: a node keeps them to two different replicas. */
  readonly replica?: string
  readonly links: LinkRegistry
  /** Who is at the door: the same check as for a node's other calls. */
  readonly doorkeeper: Pick<Doorkeeper, 'node'>
  readonly log: Log
}

/** Sockets whose proof is being looked at; more are refused until those are done. */
const MOST_UNPROVEN = 512
/** Our own WebSocket frames carry HTTP/2 frames of at most LIMITS.frameBytes, several at once. */
const WEBSOCKET_MESSAGE_BYTES = 16 << 20

/** Takes the upgrades at LINK_PATH: raw, or a WebSocket where a middlebox lets nothing else pass. */
export class LinkDoor implements Component {
  readonly name = 'link-door'
  readonly #parts: LinkDoorParts
  readonly #unproven = new Set<Duplex>()
  readonly #background: Background
  readonly #webSockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: WEBSOCKET_MESSAGE_BYTES,
    handleProtocols: (offered) => (offered.has(LINK_PROTOCOL) ? LINK_PROTOCOL : false),
  })

  constructor(parts: LinkDoorParts) {
    this.#parts = parts
    this.#webSockets.on('headers', (headers) => void (parts.replica && headers.push(`${REPLICA_HEADER}: ${parts.replica}`)))
    this.#background = new Background((cause) => parts.log.error({ err: cause }, 'upgrade failed'))
  }

  /** For HttpServer.onUpgrade(LINK_PATH, …). */
  readonly handler: UpgradeHandler = (...asked) => this.#background.run(() => this.#take(...asked))

  async start(): Promise<void> {}

  async drain(): Promise<void> {
    await this.stop()
  }

  /** Unproven sockets are cut; links belong to the registry. */
  async stop(): Promise<void> {
    for (const socket of this.#unproven) socket.destroy()
    await this.#background.idle()
  }

  async #take(...[request, socket, head, proven, from]: Parameters<UpgradeHandler>): Promise<void> {
    socket.on('error', () => socket.destroy())
    if (this.#unproven.size >= MOST_UNPROVEN) return refuse(socket, new Fault('STOPPING', { at: 'Too many nodes are dialling at once.' }))
    this.#unproven.add(socket)
    const limit = setTimeout(() => socket.destroy(), LIMITS.dialMs)
    try {
      const wanted = request.headers.upgrade?.toLowerCase()
      if (wanted !== LINK_PROTOCOL && wanted !== 'websocket') {
        throw new Fault('INPUT_INVALID', { at: `Upgrade must be ${LINK_PROTOCOL} or websocket.` })
      }
      const proof = await this.#parts.doorkeeper.node(request.headers.authorization, 'GET', LINK_PATH, from)
      proof.checkBody(EMPTY)
      proven()
      const { nodeId } = proof
      const { replica } = this.#parts
      if (replica !== undefined && request.headers[REPLICA_HEADER] === replica) throw new Fault('NODE_LINKED_ALREADY')
      if (socket.destroyed) return
      if (socket instanceof Socket) socket.setNoDelay(true).setTimeout(0)
      if (wanted === 'websocket') await this.#upgradeWebSocket(nodeId, request, socket, head)
      else await this.#upgradeRaw(nodeId, socket, head)
    } catch (cause) {
      refuse(socket, Fault.from(cause))
    } finally {
      clearTimeout(limit)
      this.#unproven.delete(socket)
    }
  }

  #name(): string {
    const { replica } = this.#parts
    return replica === undefined ? '' : `${REPLICA_HEADER}: ${replica}\r\n`
  }

  #upgradeRaw(nodeId: NodeId, socket: Duplex, head: Buffer): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    socket.once('close', resolve)
    if (head.length > 0) socket.unshift(head)
    // HTTP/2 must start in this callback: in the same tick as the write it aborts the process on a TLS socket.
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${LINK_PROTOCOL}\r\n${this.#name()}\r\n`, (error) => {
      if (!error && !socket.destroyed)
        this.#parts.links.add({ nodeId, transport: 'raw', duplex: socket, bytesRead: () => received(socket) })
      resolve()
    })
    return promise
  }

  #upgradeWebSocket(nodeId: NodeId, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    socket.once('close', resolve)
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      // Before the stream's own listener, which would end it: HTTP/2 that writes to a stream that has ended, and is not a socket,
      // fails an assertion of Node's and with it the process. A destroyed stream it takes well.
      webSocket.once('close', () => duplex.destroy())
      const duplex = createWebSocketStream(webSocket, { highWaterMark: 1 << 20 })
      duplex.on('error', () => duplex.destroy())
      this.#parts.links.add({ nodeId, transport: 'websocket', duplex, bytesRead: () => received(socket) })
      resolve()
    })
    return promise
  }
}

const received = (socket: Duplex): number => (socket instanceof Socket ? socket.bytesRead : 0)

/** Answers an upgrade with a problem instead of 101. */
export function refuse(socket: Duplex, fault: Fault): void {
  const problem = problemOf(fault, 'link')
  const body = JSON.stringify(problem)
  const headers = Object.entries(headersOf(fault)).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `HTTP/1.1 ${problem.status} ${fault.code}\r\nConnection: close\r\n${headers.join('')}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`
  socket.end(head + body, () => socket.destroy())
}
