import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import type { Random } from '@postern/base/random.ts'
import { Strangers } from '@postern/base/strangers.ts'
import { type NodeFacts, SessionRequest } from '@postern/protocol/console-api.ts'
import { CONSOLE_PATHS } from '@postern/protocol/console-paths.ts'
import { Fault, HTTP_STATUS } from '@postern/protocol/fault.ts'
import { parseBody } from '../app/parse.ts'
import { errorCode } from '../state/files.ts'
import { type ConsoleDesk, ConsoleDownload } from './console-desk.ts'
import { type ConsoleFile, writeConsoleFile } from './console-file.ts'
import { pageFile } from './console-pages.ts'
import { makePass, openPass } from './console-pass.ts'

interface ConsoleServerParts {
  readonly port: number
  /** The node's data folder: `console.json` in it says where this is. */
  readonly data: string
  readonly file: ConsoleFile
  /** The built page; left out: only what programs ask. */
  readonly pages: string | undefined
  /** What the node says of itself: nothing secret. */
  readonly status: () => Promise<NodeFacts>
  readonly desk: Pick<ConsoleDesk, 'handlers'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** In ms: of headers, of a request, and how often it is looked. */
const LATE = { headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 2_000 } as const
/** One more that has shown no pass, and the oldest of them is cut: who opens many keeps nobody else out. */
const STRANGERS = { ofNetwork: 48, inAll: 48 } as const
const MOST_CONNECTIONS = 96
const BODY_BYTES = 16_384
/** Codes that were used, until they have ended: only who can read the data folder can make one. */
const MOST_USED = 10_000
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const

/**
 * The configuration manager, on 127.0.0.1 only. What it says of the node is for whoever is on the machine; for logs, tests and for what
 * changes something it wants a pass (console-pass.ts) in the Authorization header, which no other site can have a browser send.
 */
export class ConsoleServer implements Component {
  readonly name = 'console'
  readonly #parts: ConsoleServerParts
  readonly #strangers = new Strangers(STRANGERS)
  readonly #stopping = new AbortController()
  /** By nonce: when the code would have ended. */
  readonly #used = new Map<string, number>()
  #server: Server | undefined

  constructor(parts: ConsoleServerParts) {
    this.#parts = parts
  }

  async start(): Promise<void> {
    const { port, data, file } = this.#parts
    const server = createServer({ ...LATE, maxHeaderSize: 8_192 }, (request, response) => void this.#serve(request, response))
    server.maxConnections = MOST_CONNECTIONS
    server.on('connection', (socket: Socket) => this.#strangers.add(socket))
    // Any port: then rather the one that it had, so that pages that are open find it again.
    const again = port === 0 && file.port !== 0 && (await listen(server, file.port).then(...YES_OR_NO))
    if (!again) await listen(server, port)
    this.#server = server
    await writeConsoleFile(data, { ...file, port: (server.address() as AddressInfo).port })
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Fault('STOPPING'))
    const server = this.#server
    this.#server = undefined
    if (!server) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeAllConnections()
    await closed
  }

  /** Never rejects: each request ends here. */
  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined)
    try {
      await this.#route(request, response)
    } catch (cause) {
      const fault = Fault.from(cause)
      if (fault.code === 'INTERNAL') this.#parts.log.error({ err: cause }, 'a request to the console failed unexpectedly')
      if (!response.headersSent) sendJson(response, HTTP_STATUS[fault.kind], fault)
      else response.destroy()
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, pages, desk } = this.#parts
    refuseForeign(request)
    const url = new URL(request.url ?? '/', 'http://console.invalid')
    const asked = `${request.method} ${url.pathname}`
    if (asked === `GET ${CONSOLE_PATHS.status}`) return sendJson(response, 200, await status())
    if (asked === `POST ${CONSOLE_PATHS.session}`) return sendJson(response, 200, this.#session(await bodyOf(request)))
    const handler = Object.hasOwn(desk.handlers, asked) ? desk.handlers[asked] : undefined
    if (!handler) {
      const page = request.method === 'GET' ? await pageFile(pages, url.pathname) : undefined
      if (!page) throw new Fault('ROUTE_UNKNOWN', { at: asked.slice(0, 200) })
      return send(response, 200, page.type, page.bytes)
    }
    this.#admit(request)
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const body = request.method === 'POST' ? await bodyOf(request) : undefined
    const answer = await handler({ query: url.searchParams, body, signal: AbortSignal.any([gone.signal, this.#stopping.signal]) })
    if (!(answer instanceof ConsoleDownload)) return sendJson(response, 200, answer)
    response.setHeader('content-disposition', `attachment; filename="${answer.name}"`)
    send(response, 200, 'application/gzip', answer.bytes)
  }

  #admit(request: IncomingMessage): void {
    const { file, clock } = this.#parts
    const pass = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    if (!openPass(pass, { kinds: ['session', 'call'], secret: file.secret, now: clock.now() })) throw new Fault('CONSOLE_DENIED')
    this.#strangers.proven(request.socket)
  }

  /** A code opens the page once: who finds it later, in a history or a screenshot, has nothing. */
  #session(body: unknown): { readonly session: string; readonly until: string } {
    const { file, clock, random } = this.#parts
    const now = clock.now()
    for (const [nonce, until] of this.#used) if (until <= now) this.#used.delete(nonce)
    const code = openPass(parseBody(SessionRequest, body).code, { kinds: ['code'], secret: file.secret, now })
    if (!code || this.#used.has(code.nonce) || this.#used.size >= MOST_USED)
      throw new Fault('CONSOLE_DENIED', { at: '(this address was used already, or is too old)' })
    this.#used.set(code.nonce, code.until)
    const session = makePass({ kind: 'session', secret: file.secret, nonce: random.bytes(16), now })
    return { session, until: new Date(Number(session.split('.')[1])).toISOString() }
  }
}

const YES_OR_NO = [() => true, () => false] as const

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error) => {
      const code = errorCode(cause)
      const at = `(console port ${port}; choose another with --console-port)`
      reject(new Fault(code === 'EADDRINUSE' ? 'PORT_TAKEN' : 'CONFIG_INVALID', { at, cause }))
    }
    server.once('error', failed)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', failed)
      resolve()
    })
  })
}

/** Pages of other sites: neither by a name that they point at 127.0.0.1, nor from where they are. */
function refuseForeign({ headers }: IncomingMessage): void {
  const host = headers.host ?? ''
  if (!/^(127\.0\.0\.1|localhost)(:\d{1,5})?$/.test(host)) throw new Fault('ROUTE_UNKNOWN', { at: 'The console is at 127.0.0.1 only.' })
  const origin = headers.origin
  const site = headers['sec-fetch-site']
  const navigates = headers['sec-fetch-mode'] === 'navigate'
  if ((origin !== undefined && origin !== `http://${host}`) || ((site === 'cross-site' || site === 'same-site') && !navigates))
    throw new Fault('CONSOLE_DENIED', { at: '(from another site)' })
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? ''))
    throw new Fault('INPUT_INVALID', { at: 'content-type must be application/json.' })
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > BODY_BYTES) throw new Fault('BODY_TOO_LARGE', { at: `(over ${BODY_BYTES} bytes)` })
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}')
  } catch {
    throw new Fault('INPUT_INVALID', { at: '(the body is not JSON)' })
  }
}

const sendJson = (response: ServerResponse, status: number, value: unknown): void =>
  send(response, status, 'application/json', Buffer.from(`${JSON.stringify(value, null, 2)}\n`))

function send(response: ServerResponse, status: number, type: string, bytes: Buffer): void {
  response.writeHead(status, { ...HEADERS, 'content-type': type, 'content-length': bytes.length })
  response.end(bytes)
}
