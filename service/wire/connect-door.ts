import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Background } from '@postern/base/background.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { CONNECTORS } from '@postern/connectors/registry.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { CONNECT_PROTOCOL } from '@postern/protocol/link.ts'
import { createWebSocketStream, WebSocketServer } from 'ws'
import type { AuditNotes } from '../audit/audit-notes.ts'
import type { UpgradeHandler } from '../http/http-server.ts'
import type { Doorkeeper } from '../http/needs.ts'
import { refuse } from '../links/link-door.ts'
import { type Caller, isRefusal } from '../rights/caller.ts'
import { needOn } from '../rights/places.ts'
import type { SessionOpener, SessionStore } from './session-opener.ts'

export const CONNECT_PATH = /^\/v1\/stores\/([A-Za-z0-9._-]{1,63})\/connect$/

export interface ConnectDoorParts {
  readonly doorkeeper: Pick<Doorkeeper, 'caller'>
  readonly findStore: (name: string) => SessionStore | Promise<SessionStore>
  readonly opener: SessionOpener
  readonly notes: Pick<AuditNotes, 'note'>
  readonly log: Log
}

const OPEN_MS = 660_000
const MESSAGE_BYTES = 16 << 20

/** `postern connect`: an upgrade whose bytes go to the store's host and port; the client signs in to the store itself. */
export class ConnectDoor implements Component {
  readonly name = 'connect-door'
  readonly #parts: ConnectDoorParts
  readonly #background: Background
  #draining = false
  readonly #webSockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MESSAGE_BYTES,
    handleProtocols: (offered) => (offered.has(CONNECT_PROTOCOL) ? CONNECT_PROTOCOL : false),
  })

  constructor(parts: ConnectDoorParts) {
    this.#parts = parts
    this.#background = new Background((cause) => parts.log.error({ err: cause }, 'connect failed'))
  }

  /** For HttpServer.onUpgrade(CONNECT_PATH, …). */
  readonly handler: UpgradeHandler = (...asked) => this.#background.run(() => this.#take(...asked))

  async start(): Promise<void> {}

  async drain(): Promise<void> {
    this.#draining = true
  }

  async stop(): Promise<void> {
    this.#draining = true
  }

  async #take(...[request, socket, head, proven, from]: Parameters<UpgradeHandler>): Promise<void> {
    socket.on('error', () => socket.destroy())
    const left = new AbortController()
    const leave = () => left.abort(new Fault('CANCELLED'))
    socket.once('close', leave)
    let caller: Caller | undefined
    try {
      if (this.#draining) throw new Fault('STOPPING')
      const wanted = request.headers.upgrade?.toLowerCase()
      if (wanted !== CONNECT_PROTOCOL && wanted !== 'websocket')
        throw new Fault('INPUT_INVALID', { at: `Upgrade must be ${CONNECT_PROTOCOL} or websocket.` })
      caller = await this.#parts.doorkeeper.caller(request.headers.authorization, undefined, from)
      proven()
      const store = await this.#parts.findStore(storeOf(request.url ?? ''))
      needOn(caller, 'stores:connect', store)
      const shape = CONNECTORS.get(store.kind)?.config.shape
      if (typeof store.settings['host'] !== 'string' || !shape || !Object.hasOwn(shape, 'port'))
        throw new Fault('CONNECT_UNSUPPORTED', { at: `Store ${store.name} is of kind ${store.kind}.` })
      if (socket instanceof Socket) socket.setNoDelay(true).setTimeout(0)
      await this.#parts.opener.run({
        kind: 'connect',
        store,
        caller,
        stillMay: async () => needOn(await this.#parts.doorkeeper.caller(request.headers.authorization), 'stores:connect', store),
        application: (request.headers['user-agent'] ?? '').slice(0, 64),
        address: from,
        accept: () => {
          socket.off('close', leave)
          return wanted === 'websocket' ? this.#webSocket(request, socket, head) : raw(socket, head)
        },
        signal: AbortSignal.any([left.signal, AbortSignal.timeout(OPEN_MS)]),
      })
    } catch (cause) {
      const fault = Fault.from(cause)
      if (isRefusal(fault)) this.#refused(request, fault, { caller, from })
      refuse(socket, fault)
    } finally {
      socket.off('close', leave)
    }
  }

  #refused({ url = '' }: IncomingMessage, { code }: Fault, { caller, from }: { caller: Caller | undefined; from: string }): void {
    const target = `store ${storeOf(url)}`
    const details = { kind: 'connect', code }
    const who = { who: caller?.name ?? 'nobody', whoId: caller?.principal, ip: from === '' ? null : from }
    this.#parts.notes.note({ ...who, action: 'session.open', target, outcome: 'refused', details })
  }

  #webSocket(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      const gone = () => reject(new Fault('CANCELLED'))
      socket.once('close', gone)
      this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        socket.off('close', gone)
        resolve(createWebSocketStream(webSocket, { highWaterMark: 1 << 20 }))
      })
    })
  }
}

const storeOf = (url: string): string => CONNECT_PATH.exec(url.split('?')[0] ?? '')?.[1] ?? ''

function raw(socket: Duplex, head: Buffer): Duplex {
  if (head.length > 0) socket.unshift(head)
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${CONNECT_PROTOCOL}\r\n\r\n`)
  return socket
}
