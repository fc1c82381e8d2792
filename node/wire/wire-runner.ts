import { constants, type ServerHttp2Stream } from 'node:http2'
import { connect as dialTcp, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { HostGuard } from '@postern/base/host-guard.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { splice } from '@postern/base/splice.ts'
import { spliceBeside } from '@postern/base/splice-beside.ts'
import { BEFORE_STORE } from '@postern/connectors/query-contract.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { SessionId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { ConnectOrder, DATA_HEADER, NODE_PATHS, WireCancel, WireOrder } from '@postern/protocol/link.ts'
import type { StoreRef } from '@postern/protocol/node-api.ts'
import { parseBody } from '../app/parse.ts'
import { answer, type Request, type Route, refuse } from '../app/router.ts'
import type { OpenedStore, StoreSessions } from '../stores/store-sessions.ts'
import type { DataDialler } from './data-dialler.ts'

interface WireRunnerParts {
  readonly stores: Pick<StoreSessions, 'acquire' | 'place'>
  readonly data: Pick<DataDialler, 'dial'>
  /** By which stores are dialled for `postern connect`. */
  readonly hosts: HostGuard
  readonly log: Log
}

interface Open {
  readonly stream: ServerHttp2Stream
  /** Undefined while it is being opened. */
  cancel: (() => Promise<void>) | undefined
}

/** Connections of clients to stores in the stores' own protocols: signed in here, then bytes are passed and not looked at. */
export class WireRunner implements Component {
  readonly name = 'wire'
  readonly #parts: WireRunnerParts
  readonly #open = new Map<SessionId, Open>()
  #draining = false
  #idle: (() => void) | undefined

  constructor(parts: WireRunnerParts) {
    this.#parts = parts
  }

  get running(): number {
    return this.#open.size
  }

  get routes(): Readonly<Record<string, Route>> {
    return {
      [NODE_PATHS.wire]: { doors: ['link'], duplex: true, handle: (request) => this.#wire(request) },
      [NODE_PATHS.connect]: { doors: ['link'], duplex: true, handle: (request) => this.#connect(request) },
      [NODE_PATHS.cancelWire]: {
        doors: ['link'],
        handle: async ({ stream, body }) => {
          await this.#open.get(parseBody(WireCancel, body).session)?.cancel?.()
          answer(stream)
        },
      },
    }
  }

  async start(): Promise<void> {}

  /** The service ends connections after their transactions, for it has been told of the draining; this waits for that. */
  async drain(deadline: AbortSignal): Promise<void> {
    this.#draining = true
    if (this.#open.size === 0 || deadline.aborted) return
    await new Promise<void>((resolve) => {
      this.#idle = resolve
      deadline.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  async stop(): Promise<void> {
    this.#draining = true
    this.endAll()
  }

  endAll(): void {
    for (const { stream } of this.#open.values()) stream.close(constants.NGHTTP2_CANCEL)
  }

  async #wire({ stream, body }: Request): Promise<void> {
    await this.#serve(
      stream,
      () => parseBody(WireOrder, body),
      async ({ store, parameters }: WireOrder, open, signal) => {
        const { socket, greeting, cancel } = await this.#signIn(stream, store, parameters, signal)
        open.cancel = cancel
        return { socket, greeting }
      },
    )
  }

  /** Once more where the store refused a secret that has changed since it was read. */
  async #signIn(stream: ServerHttp2Stream, store: StoreRef, parameters: WireOrder['parameters'], signal: AbortSignal) {
    const sign = async ({ session, release }: OpenedStore) => {
      stream.once('close', release)
      if (!session.wire) throw new Fault('WIRE_UNSUPPORTED', { at: `(${store.name})` })
      return session.wire(parameters, signal)
    }
    const opened = await this.#parts.stores.acquire(store)
    try {
      return await sign(opened)
    } catch (cause) {
      if (!(await opened.renewed(cause))) throw cause
      return await sign(await this.#parts.stores.acquire(store))
    }
  }

  async #connect({ stream, body }: Request): Promise<void> {
    await this.#serve(
      stream,
      () => parseBody(ConnectOrder, body),
      async ({ store }: ConnectOrder, _, signal) => ({
        socket: await this.#dial(store, signal),
        greeting: undefined,
      }),
    )
  }

  /** From the order to the end of both directions. A refusal says that the store has not seen anything: no statement has been sent yet. */
  async #serve<Order extends { readonly session: SessionId; readonly store: StoreRef; readonly ticket?: string | undefined }>(
    stream: ServerHttp2Stream,
    read: () => Order,
    connect: (order: Order, open: Open, signal: AbortSignal) => Promise<{ readonly socket: Duplex; readonly greeting: Buffer | undefined }>,
  ): Promise<void> {
    const gone = new AbortController()
    const left = () => gone.abort(new Fault('CANCELLED'))
    stream.once('close', left)
    const open: Open = { stream, cancel: undefined }
    let session: SessionId | undefined
    let dialling: Promise<Duplex | undefined> = Promise.resolve(undefined)
    try {
      if (this.#draining) throw new Fault('STOPPING', { at: 'The node is draining.' })
      const order = read()
      session = order.session
      this.#open.set(session, open)
      // While the store is being signed in to: nobody waits for it longer than for that, but where it is slow to fail.
      if (order.ticket !== undefined) dialling = this.#parts.data.dial(order.ticket, gone.signal)
      const { socket, greeting } = await connect(order, open, AbortSignal.any([gone.signal, AbortSignal.timeout(LIMITS.dialMs)]))
      const data = await dialling
      stream.off('close', left)
      if (stream.destroyed || stream.closed) {
        data?.destroy()
        return void socket.on('error', () => undefined).destroy()
      }
      stream.respond({ ':status': 200, ...(data ? { [DATA_HEADER]: 'beside' } : {}) })
      if (greeting && !data) stream.write(greeting)
      stream.once('close', () => {
        // Cut, not ended: what the client had running is of no use to anybody.
        if (stream.rstCode === constants.NGHTTP2_NO_ERROR) return
        // Nobody is there any more whom it could be told.
        void open.cancel?.().catch(() => undefined)
        socket.destroy()
      })
      await (data ? spliceBeside(socket, { data, control: stream }, { first: greeting }) : splice(stream, socket))
    } catch (cause) {
      void dialling.then((data) => data?.destroy())
      const fault = Fault.from(cause)
      if (fault.code === 'INTERNAL') this.#parts.log.error({ err: cause }, 'a connection to a store failed unexpectedly')
      refuse(stream, fault, BEFORE_STORE.has(fault.code) ? 'before-store' : 'in-store')
    } finally {
      if (session) this.#open.delete(session)
      if (this.#open.size === 0) this.#idle?.()
    }
  }

  async #dial(store: StoreRef, signal: AbortSignal): Promise<Socket> {
    const { host, port } = await this.#parts.stores.place(store, signal)
    const path = host.startsWith('/') ? `${host}/.s.PGSQL.${port}` : undefined
    const tcp = () => this.#parts.hosts.connect({ host, port }, { noDelay: true, allowHalfOpen: true })
    const socket = path === undefined ? tcp() : dialTcp({ path, allowHalfOpen: true })
    const { promise, resolve, reject } = Promise.withResolvers<Socket>()
    const aborted = () => socket.destroy(Fault.from(signal.reason))
    const failed = (cause: Error & { readonly code?: string }) =>
      reject(
        cause instanceof Fault ? cause : new Fault('STORE_UNREACHABLE', { at: `${host}:${port}: ${cause.code ?? cause.message}`, cause }),
      )
    signal.addEventListener('abort', aborted, { once: true })
    socket.once('connect', () => resolve(socket)).once('error', failed)
    try {
      return await promise
    } finally {
      signal.removeEventListener('abort', aborted)
    }
  }
}
