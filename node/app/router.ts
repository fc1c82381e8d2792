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
  /** The most that another node may send it; MOST_BYTES when left out. */
  readonly bodyBytes?: number
  /** Answers on the stream, or throws a fault before it has begun to. */
  readonly handle: (request: Request) => Promise<void>
}

interface RouterParts {
  readonly routes: Readonly<Record<string, Route>>
  readonly log: Log
  /** Of bodies from other nodes, all together. */
  readonly heldBytes?: number
}

/** The node's HTTP/2 application: the same behind both doors. */
export class Router {
  readonly #parts: RouterParts
  /** Bytes of bodies that are on their way from other nodes. */
  readonly #held = { bytes: 0 }

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
    else if (door.is === 'link') readBody(stream, LIMITS.orderBytes, serve)
    else this.#readOfPeer(stream, route.bodyBytes ?? MOST_BYTES, serve)
  }

  /** A node is believed to be who it is, and no more: what it sends has an end in size, in time and in all. */
  #readOfPeer(stream: ServerHttp2Stream, most: number, done: (body: unknown) => void): void {
    const held = this.#held
    let mine = 0
    stream.setTimeout(IDLE_MS, () => stream.close(constants.NGHTTP2_CANCEL))
    const free = () => {
      held.bytes -= mine
      mine = 0
    }
    stream.once('close', free)
    const take = (bytes: number): boolean => {
      mine += bytes
      held.bytes += bytes
      return held.bytes <= (this.#parts.heldBytes ?? HELD_BYTES)
    }
    const whole = (body: unknown) => {
      // Who sends on after it was refused is still watched.
      if (!(body instanceof Fault)) stream.setTimeout(0)
      free()
      done(body)
    }
    readBody(stream, most, whole, take)
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

/** Of a body from another node; only orders for tasks are larger. The list of the stores that it knows has room. */
const MOST_BYTES = 8 << 20
/** Of all bodies from other nodes at a time: several of the largest orders. */
const HELD_BYTES = 4 * LIMITS.orderBytes
/** A body of which nothing comes for so long is given up. */
const IDLE_MS = 30_000

/**
 * Events and not a for-await: this stands on the path of every query. One that is too large is told so at once and not read on. `take`:
 * false where there is no room for more.
 */
function readBody(
  stream: ServerHttp2Stream,
  most: number,
  done: (body: unknown) => void,
  take: (bytes: number) => boolean = () => true,
): void {
  let chunks: Buffer[] = []
  let size = 0
  let over = false
  stream.on('data', (chunk: Buffer) => {
    if (over) return
    size += chunk.length
    over = size > most || !take(chunk.length)
    if (!over) chunks.push(chunk)
    else {
      chunks = []
      done(new Fault('BODY_TOO_LARGE', { at: size > most ? `(over ${most} bytes)` : '(too many large ones at once)' }))
    }
  })
  stream.once('end', () => {
    if (!over) done(parseJson(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
  })
}

function parseJson(body: Buffer): unknown {
  try {
    return body.length === 0 ? {} : JSON.parse(body.toString('utf8'))
  } catch {
    return new Fault('INPUT_INVALID', { at: '(the body is not JSON)' })
  }
}
