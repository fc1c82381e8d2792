import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { Log } from '@postern/base/log.ts'
import { Fault, HTTP_STATUS } from '@postern/protocol/fault.ts'
import type { NodeId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { ORDER_HEADER, STAGE_HEADER, type Stage } from '@postern/protocol/link.ts'

/** By which connection a request came: the service's link, or another node's channel. */
export type Door = { readonly is: 'link' } | { readonly is: 'channel'; readonly peer: NodeId }

export interface Request {
  readonly door: Door
  readonly stream: ServerHttp2Stream
  /** JSON, not yet held against a schema. */
  readonly body: unknown
}

export interface Route {
  readonly doors: readonly Door['is'][]
  /** Both bodies are a connection's bytes: the order stands in ORDER_HEADER, and the stream comes unread. */
  readonly duplex?: boolean
  /** Answers on the stream, or throws a fault before it has begun to. */
  readonly handle: (request: Request) => Promise<void>
}

interface RouterParts {
  readonly routes: Readonly<Record<string, Route>>
  readonly log: Log
}

/** The node's HTTP/2 application: the same behind both doors. */
export class Router {
  readonly #parts: RouterParts

  constructor(parts: RouterParts) {
    this.#parts = parts
  }

  /** Never throws, never rejects: each stream ends here. */
  serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, door: Door): void {
    // A stream that the other side resets is its own affair; without a listener it would end the process.
    stream.on('error', (cause) => this.#parts.log.debug({ err: cause }, 'stream broke'))
    const path = String(headers[':path'])
    const route = Object.hasOwn(this.#parts.routes, path) ? this.#parts.routes[path] : undefined
    if (!route?.doors.includes(door.is) || headers[':method'] !== 'POST') {
      stream.resume()
      refuse(stream, new Fault('ROUTE_UNKNOWN', { at: `(${headers[':method']} ${path})` }))
      return
    }
    const serve = (body: unknown) => {
      if (body instanceof Fault) return refuse(stream, body)
      // Async here: a handler that throws at once must not end the process either.
      const handled = (async () => await route.handle({ door, stream, body }))()
      handled.catch((cause: unknown) => this.#fail(stream, path, cause))
    }
    if (route.duplex) serve(parseJson(Buffer.from(String(headers[ORDER_HEADER] ?? ''), 'base64url')))
    else readBody(stream, serve)
  }

  #fail(stream: ServerHttp2Stream, path: string, cause: unknown): void {
    const fault = Fault.from(cause)
    // Who went away while it was answered gets no answer, and that is no failure of ours.
    if (fault.code === 'INTERNAL' && !stream.destroyed) this.#parts.log.error({ err: cause, path }, 'a request failed unexpectedly')
    refuse(stream, fault)
  }
}

/** Ends the stream with a fault; one that has begun is cut, so that it is never taken for whole. */
export function refuse(stream: ServerHttp2Stream, fault: Fault, stage?: Stage): void {
  if (stream.destroyed || stream.closed) return
  if (stream.headersSent) {
    stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    return
  }
  const body = Buffer.from(JSON.stringify(fault))
  stream.respond({
    ':status': HTTP_STATUS[fault.kind],
    'content-type': 'application/json',
    'content-length': body.length,
    ...(stage ? { [STAGE_HEADER]: stage } : {}),
  })
  stream.end(body)
}

export function answer(stream: ServerHttp2Stream, value?: unknown): void {
  if (stream.destroyed || stream.closed) return
  if (value === undefined) {
    stream.respond({ ':status': 204 }, { endStream: true })
    return
  }
  const body = Buffer.from(JSON.stringify(value))
  stream.respond({ ':status': 200, 'content-type': 'application/json', 'content-length': body.length })
  stream.end(body)
}

/** An order of a task carries the results of up to LIMITS.planTasks parts: larger than what people may send. */
const BODY_BYTES = LIMITS.orderBytes

/** Events and not a for-await: this stands on the path of every query. */
function readBody(stream: ServerHttp2Stream, done: (body: unknown) => void): void {
  const chunks: Buffer[] = []
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= BODY_BYTES) chunks.push(chunk)
  })
  stream.once('end', () => {
    if (size > BODY_BYTES) return done(new Fault('BODY_TOO_LARGE', { at: `(over ${BODY_BYTES} bytes)` }))
    done(parseJson(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
  })
}

function parseJson(body: Buffer): unknown {
  try {
    return body.length === 0 ? {} : JSON.parse(body.toString('utf8'))
  } catch {
    return new Fault('INPUT_INVALID', { at: '(the body is not JSON)' })
  }
}
