import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { Background } from '@postern/base/background.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { Strangers } from '@postern/base/strangers.ts'
import { CONNECTORS } from '@postern/connectors/registry.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { AuditEntry } from '../audit/audit-log.ts'
import type { AuditNotes } from '../audit/audit-notes.ts'
import { listenFault } from '../http/listen-fault.ts'
import { type Caller, isRefusal } from '../rights/caller.ts'
import { needOn } from '../rights/places.ts'
import { shakeHands, type Wanted } from './handshake.ts'
import type { SessionOpener, SessionStore } from './session-opener.ts'
import type { WireCertificate } from './wire-certificate.ts'
import { errorResponse } from './wire-faults.ts'
import { AUTHENTICATED, type SessionKey, sessionKey } from './wire-messages.ts'

export interface WireServerParts {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** False: a port that is taken is said in the log, and the service goes on without. */
  readonly required: boolean
  readonly certificate: WireCertificate
  /** Fails with TOKEN_INVALID. */
  readonly callerOf: (token: string, address?: string) => Caller | Promise<Caller>
  /** Fails with STORE_UNKNOWN. */
  readonly findStore: (name: string) => SessionStore | Promise<SessionStore>
  /** At whichever replica the connection is. */
  readonly cancel: (key: SessionKey) => Promise<void>
  readonly opener: SessionOpener
  readonly notes: Pick<AuditNotes, 'note'>
  readonly log: Log
}

/** From the first byte to the password. */
const HANDSHAKE_MS = 10_000
/** Clients that have not proved who they are; of more the oldest is cut. */
const STRANGERS = { ofNetwork: 512, inAll: 1_024 } as const
/** Longer than a queue may be and its nodes may take. */
const OPEN_MS = 660_000

/** PostgreSQL's protocol on a port of its own: any user, the token as the password, the store as the database. */
export class WireServer implements Component {
  readonly name = 'wire'
  readonly #parts: WireServerParts
  readonly #sockets = new Set<Socket>()
  readonly #background: Background
  #server: Server | undefined
  readonly #strangers = new Strangers(STRANGERS)

  constructor(parts: WireServerParts) {
    this.#parts = parts
    this.#background = new Background((cause) => parts.log.error({ err: cause }, 'wire connection failed'))
  }

  /** Known once started; undefined while it does not listen. */
  get port(): number | undefined {
    const address = this.#server?.address()
    return typeof address === 'object' && address ? address.port : undefined
  }

  async start(): Promise<void> {
    const { host, port, required, certificate, log } = this.#parts
    await certificate.prepare()
    const server = createServer({ noDelay: true, allowHalfOpen: true, keepAlive: true }, (socket) =>
      this.#background.run(() => this.#serve(socket)),
    )
    try {
      server.listen(port, host)
      await once(server, 'listening')
    } catch (cause) {
      const taken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE'
      if (required || !taken) throw listenFault(cause, { host, port, what: 'for the PostgreSQL wire' })
      log.warn({ port }, 'the port of the PostgreSQL wire is taken: going on without; choose another one with --postgres-port')
      return
    }
    // Without a listener one connection that cannot be taken (too many open files) would end the process.
    server.on('error', (cause) => log.error({ err: cause }, 'a wire connection could not be taken'))
    this.#server = server
    log.info({ port: this.port }, 'PostgreSQL wire listens')
  }

  /** Nobody comes in any more; the book ends those that are in. */
  async drain(): Promise<void> {
    this.#server?.close()
  }

  async stop(): Promise<void> {
    this.#server?.close()
    for (const socket of this.#sockets) socket.destroy()
    await this.#background.idle()
  }

  async #serve(plain: Socket): Promise<void> {
    const place: Knock = { socket: plain }
    this.#sockets.add(plain)
    plain.once('close', () => this.#sockets.delete(plain))
    plain.on('error', () => undefined)
    try {
      const proven = await this.#prove(place)
      if (proven) await this.#open(proven, place)
    } catch (cause) {
      const fault = Fault.from(cause)
      if (isRefusal(fault)) this.#parts.notes.note(refusalOf(place, fault, plain.remoteAddress ?? null))
      if (fault.code === 'INTERNAL') this.#parts.log.error({ err: cause }, 'wire connection failed unexpectedly')
      await say(place.socket, errorResponse(cause))
    } finally {
      place.socket.destroy()
      plain.destroy()
    }
  }

  /** Who it is and what is wanted; undefined where there is nothing more to do. */
  async #prove(place: Knock): Promise<Proven | undefined> {
    const { certificate, cancel, callerOf, findStore } = this.#parts
    const plain = place.socket
    const address = plain.remoteAddress ?? ''
    this.#strangers.add(plain)
    const late = setTimeout(() => plain.destroy(), HANDSHAKE_MS)
    try {
      const onSocket = (secure: Socket) => {
        place.socket = secure
      }
      const wanted = await shakeHands({ socket: plain, context: () => certificate.context, onSocket })
      if (!wanted) return undefined
      if (wanted.is === 'cancel') {
        await cancel(wanted.key)
        return undefined
      }
      place.store = wanted.database
      // First who it is: only those who may come in learn which stores there are.
      const caller = await callerOf(wanted.password, address)
      place.caller = caller
      const store = await findStore(wanted.database)
      needOn(caller, 'stores:query', store)
      if (CONNECTORS.get(store.kind)?.can.wire !== 'postgres')
        throw new Fault('WIRE_UNSUPPORTED', { at: `Store ${store.name} is of kind ${store.kind}.` })
      return { wanted, caller, store }
    } finally {
      this.#strangers.proven(plain)
      clearTimeout(late)
    }
  }

  async #open({ wanted, caller, store }: Proven, { socket }: { readonly socket: Socket }): Promise<void> {
    const { parameters } = wanted
    const left = new AbortController()
    const unwatch = whenLeft(socket, () => left.abort(new Fault('CANCELLED')))
    await this.#parts.opener.run({
      kind: 'wire',
      store,
      caller,
      stillMay: async () => needOn(await this.#parts.callerOf(wanted.password, socket.remoteAddress ?? ''), 'stores:query', store),
      application: (parameters['application_name'] ?? '').slice(0, 64),
      address: socket.remoteAddress ?? '',
      parameters,
      accept: (key) => {
        unwatch()
        socket.write(Buffer.concat([AUTHENTICATED, sessionKey(key)]))
        return socket
      },
      signal: AbortSignal.any([left.signal, AbortSignal.timeout(OPEN_MS)]),
    })
  }
}

/** What is known of somebody who wants in. */
interface Knock {
  socket: Socket
  caller?: Caller
  store?: string
}

function refusalOf({ caller, store }: Knock, { code }: Fault, ip: string | null): AuditEntry {
  const target = store === undefined ? 'service' : `store ${store.slice(0, 63)}`
  const details = { kind: 'wire', code }
  return { who: caller?.name ?? 'nobody', whoId: caller?.principal, action: 'session.open', target, ip, outcome: 'refused', details }
}

interface Proven {
  readonly wanted: Extract<Wanted, { readonly is: 'startup' }>
  readonly caller: Caller
  readonly store: SessionStore
}

/** Before it is let in no client of PostgreSQL ends one half only: it has left, and its place is free. Returns how to stop looking. */
function whenLeft(socket: Socket, left: () => void): () => void {
  // A paused socket tells its end when it is read once more; what was sent early stays in it.
  const look = () => {
    if (socket.readableLength === 0) socket.read(0)
  }
  socket.on('readable', look).once('end', left).once('close', left)
  // While it was looked up who it is, perhaps.
  if (socket.destroyed || socket.readableEnded) left()
  return () => void socket.off('readable', look).off('end', left).off('close', left)
}

/** Waits until it has left, or for a second: a socket that is destroyed at once takes its last bytes with it. */
async function say(socket: Socket, bytes: Buffer): Promise<void> {
  if (!socket.writable) return
  await new Promise<void>((resolve) => {
    const limit = setTimeout(resolve, 1_000)
    socket.once('close', resolve)
    socket.end(bytes, () => {
      clearTimeout(limit)
      resolve()
    })
  })
}
