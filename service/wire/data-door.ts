import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Background } from '@postern/base/background.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import type { Random } from '@postern/base/random.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { NodeId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { DATA_PATH, DATA_PROTOCOL, TICKET_HEADER } from '@postern/protocol/link.ts'
import type { UpgradeHandler } from '../http/http-server.ts'
import type { Doorkeeper } from '../http/needs.ts'
import { refuse } from '../links/link-door.ts'

const EMPTY = new Uint8Array()
const TICKET_BYTES = 32
/** What a middlebox forgets an idle connection after is mostly longer. */
const KEEP_ALIVE_MS = 15_000

export interface DataDoorParts {
  readonly doorkeeper: Pick<Doorkeeper, 'node'>
  readonly random: Random
  readonly log: Log
}

/** Room for one connection of one node; it has no other life than that of the attempt that made it. */
export interface DataOffer {
  readonly ticket: string
  /** The connection, when the node says that it has dialled one. Fails with NODE_OFFLINE when it is gone already. */
  take(): Duplex
  /** Nobody takes it any more. */
  withdraw(): void
}

interface Waiting {
  readonly nodeId: NodeId
  socket: Duplex | undefined
}

/** Takes the connections that nodes dial for the bytes of one session: no framing, no sharing, half the price of a stream of the link. */
export class DataDoor implements Component {
  readonly name = 'data-door'
  readonly #parts: DataDoorParts
  readonly #waiting = new Map<string, Waiting>()
  readonly #background: Background

  constructor(parts: DataDoorParts) {
    this.#parts = parts
    this.#background = new Background((cause) => parts.log.error({ err: cause }, 'a data connection failed'))
  }

  /** For HttpServer.onUpgrade(DATA_PATH, …). */
  readonly handler: UpgradeHandler = (...asked) => this.#background.run(() => this.#take(...asked))

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    for (const { socket } of this.#waiting.values()) socket?.destroy()
    this.#waiting.clear()
    await this.#background.idle()
  }

  offer(nodeId: NodeId): DataOffer {
    const ticket = Buffer.from(this.#parts.random.bytes(TICKET_BYTES)).toString('base64url')
    const waiting: Waiting = { nodeId, socket: undefined }
    this.#waiting.set(ticket, waiting)
    return {
      ticket,
      take: () => {
        this.#waiting.delete(ticket)
        const { socket } = waiting
        if (!socket || socket.destroyed) throw new Fault('NODE_OFFLINE', { at: 'Its data connection broke.' })
        waiting.socket = undefined
        return socket
      },
      withdraw: () => {
        this.#waiting.delete(ticket)
        waiting.socket?.destroy()
      },
    }
  }

  async #take(...[request, socket, head, proven, from]: Parameters<UpgradeHandler>): Promise<void> {
    socket.on('error', () => socket.destroy())
    const limit = setTimeout(() => socket.destroy(), LIMITS.dialMs)
    try {
      if (request.headers.upgrade?.toLowerCase() !== DATA_PROTOCOL)
        throw new Fault('INPUT_INVALID', { at: `Upgrade must be ${DATA_PROTOCOL}.` })
      const proof = await this.#parts.doorkeeper.node(request.headers.authorization, 'GET', DATA_PATH, from)
      proof.checkBody(EMPTY)
      proven()
      const waiting = this.#waiting.get(String(request.headers[TICKET_HEADER]))
      // Another node's ticket is as unknown as none.
      if (!waiting || waiting.nodeId !== proof.nodeId || waiting.socket) throw new Fault('TICKET_UNKNOWN')
      if (socket.destroyed) return
      waiting.socket = socket
      if (socket instanceof Socket) socket.setNoDelay(true).setTimeout(0).setKeepAlive(true, KEEP_ALIVE_MS)
      if (head.length > 0) socket.unshift(head)
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${DATA_PROTOCOL}\r\n\r\n`)
    } catch (cause) {
      refuse(socket, Fault.from(cause))
    } finally {
      clearTimeout(limit)
    }
  }
}
