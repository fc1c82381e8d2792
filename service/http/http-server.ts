import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Server as NetServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import type { Random } from '@postern/base/random.ts'
import { type StrangerLimits, Strangers } from '@postern/base/strangers.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { type FastifyInstance, type FastifyRequest, fastify, LogController } from 'fastify'
import { type FastifyPluginAsyncZod, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { addressBehind } from './address-behind.ts'
import { answerBadRequest } from './bad-request.ts'
import { openDoors, type RouteFacts } from './doors.ts'
import { listenFault } from './listen-fault.ts'
import { describeApi } from './openapi.ts'
import { faultOf, sendProblem } from './problem.ts'
import { securityHeaders } from './security-headers.ts'
import './needs.ts'
import type { Doorkeeper } from './needs.ts'

/** Longer than any load balancer's idle time, so that it is never we who close first. */
const KEEP_ALIVE_MS = 75_000
const HEADERS_MS = 15_000
const HEADER_BYTES = 16_384
/** How often it is looked whether headers and bodies are late. */
const LOOK_LATE_MS = 3_000
const TLS_HANDSHAKE_MS = 10_000
/**
 * Connections that have shown no token and no signature that is right. A load balancer's are shared: many, and soon known. A thousand nodes
 * that come back at once behind one address each need one for a moment.
 */
const STRANGERS = { ofNetwork: 1_024, inAll: 4_096 } as const
/** For the whole of a request's body; our bodies are small. */
const REQUEST_MS = 60_000

/** How long a client that is known may take to ask once more, and hear that it must come by another connection. */
const LEAVE_MS = 1_000
const LOOK_MS = 20

/** Routes of one noun: `export const xRoutes = (parts): Routes => async (http) => { http.get(...) }`. */
export type Routes = FastifyPluginAsyncZod
/**
 * Takes over the socket. `head` are bytes that came behind the request. `proven` is called once it is known who it is. `from`: the address
 * of who asks, as a proxy that is trusted says; the socket's own may be the proxy's.
 */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer, proven: () => void, from: string) => void

export interface HttpServerParts {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** PEM. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  /** Addresses and networks of proxies whose word (X-Forwarded-For) for where a request comes from is taken. */
  readonly trustedProxies?: readonly string[] | undefined
  readonly doorkeeper: Doorkeeper
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
  readonly routes: readonly Routes[]
  /** Told of each request that ended in a fault, for the audit. */
  readonly onFault?: (request: FastifyRequest, fault: Fault) => void
  /** How many connections may have proved nothing yet. */
  readonly strangers?: StrangerLimits
}

/** The service's one door: `/v1`, the pages beside it, and upgrades. */
export class HttpServer implements Component {
  readonly name = 'http'
  readonly #parts: HttpServerParts
  readonly #upgrades: { readonly path: string | RegExp; readonly handler: UpgradeHandler }[] = []
  readonly #upgraded = new Set<Duplex>()
  readonly #strangers: Strangers
  readonly #addressOf: (request: IncomingMessage) => string
  readonly #behindProxies: boolean
  #http: FastifyInstance | undefined
  #url = ''
  #draining = false

  constructor(parts: HttpServerParts) {
    this.#parts = parts
    this.#strangers = new Strangers(parts.strangers ?? STRANGERS)
    this.#addressOf = addressBehind(parts.trustedProxies ?? [])
    this.#behindProxies = (parts.trustedProxies ?? []).length > 0
  }

  /** Known once started. */
  get url(): string {
    return this.#url
  }

  /** Requests for `path` that ask for an upgrade go to `handler`, before any route. May be called at any time. */
  onUpgrade(path: string | RegExp, handler: UpgradeHandler): void {
    this.#upgrades.push({ path, handler })
  }

  async start(): Promise<void> {
    const { host, port, tls } = this.#parts
    const http = await this.#build()
    this.#http = http
    this.#guard(http.server)
    http.server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
    try {
      await http.ready()
      await http.listen({ host, port })
    } catch (cause) {
      throw listenFault(cause, { host, port })
    }
    // Without a listener one connection that cannot be taken (too many open files) would end the process.
    http.server.on('error', (cause) => this.#parts.log.error({ err: cause }, 'a connection could not be taken'))
    const address = http.server.address()
    const taken = typeof address === 'object' && address ? address.port : port
    const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
    this.#url = `${tls ? 'https' : 'http'}://${shown.includes(':') ? `[${shown}]` : shown}:${taken}`
  }

  /**
   * New connections go elsewhere; who has one is served, told to come with another, and has a moment to do so. Then people are asked to
   * come again; nodes may still report how their work ended.
   */
  async drain(deadline: AbortSignal): Promise<void> {
    const server = this.#http?.server
    if (server && !this.#draining) {
      // Not the HTTP server's own: that cuts connections on which a request may just be coming.
      NetServer.prototype.close.call(server)
      server.prependListener('request', (_request, response) => void response.setHeader('connection', 'close'))
      const until = this.#parts.clock.monotonic() + LEAVE_MS
      while (this.#parts.clock.monotonic() < until && !deadline.aborted && (await connections(server)) > this.#upgraded.size)
        await this.#parts.clock.sleep(LOOK_MS, deadline).catch(() => undefined)
    }
    this.#draining = true
  }

  async stop(): Promise<void> {
    const http = this.#http
    this.#http = undefined
    if (!http) return
    // Their owners have said goodbye on them while draining; what is left is cut, or the server would wait for it.
    const closed = http.close()
    for (const socket of this.#upgraded) socket.destroy()
    http.server.closeAllConnections()
    await closed
  }

  /** What every route says it needs; without serving anything. */
  async routes(): Promise<readonly RouteFacts[]> {
    const facts: RouteFacts[] = []
    const http = await this.#build((route) => facts.push(route))
    await http.ready()
    await http.close()
    return facts
  }

  async #build(onRoute: (facts: RouteFacts) => void = () => undefined): Promise<FastifyInstance> {
    const { tls, trustedProxies, log, random, doorkeeper, routes, onFault } = this.#parts
    const bounds = { maxHeaderSize: HEADER_BYTES, connectionsCheckingInterval: LOOK_LATE_MS }
    const door = tls
      ? { https: { ...bounds, cert: tls.cert, key: tls.key, minVersion: 'TLSv1.2' as const, handshakeTimeout: TLS_HANDSHAKE_MS } }
      : { http: bounds }
    const http = fastify({
      ...(door as { https: null }),
      // Requests are not news, nor is that it listens: the service says so itself.
      loggerInstance: log.child({}, log.level === 'info' ? { level: 'warn' } : {}),
      logController: new LogController({ disableRequestLogging: true }),
      ...(trustedProxies && trustedProxies.length > 0 ? { trustProxy: [...trustedProxies] } : {}),
      bodyLimit: LIMITS.bodyBytes,
      keepAliveTimeout: KEEP_ALIVE_MS,
      requestTimeout: REQUEST_MS,
      forceCloseConnections: false,
      clientErrorHandler: answerBadRequest,
      frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply),
      genReqId: () => `req_${Buffer.from(random.bytes(9)).toString('base64url')}`,
      routerOptions: { maxParamLength: 200, ignoreTrailingSlash: true },
    }) as unknown as FastifyInstance
    ;(http.server as Server).headersTimeout = HEADERS_MS
    // What is logged of a request says its id itself: a logger for each would cost a query as much as its way through the routes.
    http.setChildLoggerFactory((logger) => logger)
    http.setValidatorCompiler(validatorCompiler)
    http.setSerializerCompiler(serializerCompiler)
    http.setErrorHandler(sendProblem)
    http.setNotFoundHandler((request, reply) =>
      sendProblem(new Fault('ROUTE_UNKNOWN', { at: `${request.method} ${request.url.split('?')[0]}` }), request, reply),
    )
    if (onFault)
      http.addHook('onError', (request, _reply, error, done) => {
        onFault(request, faultOf(error, request))
        done()
      })
    openDoors(http, { doorkeeper, draining: () => this.#draining, proven: (socket) => this.#strangers.proven(socket), onRoute })
    await describeApi(http)
    for (const route of routes) await http.register(route)
    return http
  }

  /** Before anything is read: who comes is counted, and every answer has its headers, whoever writes it. */
  #guard(server: FastifyInstance['server']): void {
    const headers = securityHeaders(this.#parts.tls !== undefined)
    server.prependListener('connection', (socket: Socket) => this.#strangers.add(socket))
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
      if (this.#behindProxies) this.#strangers.sentBy(request.socket, this.#addressOf(request))
      for (const [name, value] of headers) response.setHeader(name, value)
    })
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy())
    this.#upgraded.add(socket)
    socket.once('close', () => this.#upgraded.delete(socket))
    const path = (request.url ?? '').split('?')[0] ?? ''
    const found = this.#upgrades.find((one) => (typeof one.path === 'string' ? one.path === path : one.path.test(path)))
    const from = this.#addressOf(request)
    if (this.#behindProxies) this.#strangers.sentBy(socket, from)
    if (found) found.handler(request, socket, head, () => this.#strangers.proven(socket), from)
    // Destroyed too: nothing would ever end the other half.
    else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () => socket.destroy())
  }
}

function connections(server: NetServer): Promise<number> {
  return new Promise((resolve) => server.getConnections((error, count) => resolve(error ? 0 : count)))
}
