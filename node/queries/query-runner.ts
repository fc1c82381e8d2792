import { constants, type ServerHttp2Stream } from 'node:http2'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { type Answer, BEFORE_STORE, type Session } from '@postern/connectors/contract.ts'
import { FORMATS } from '@postern/protocol/api/queries.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { NODE_PATHS, QUERY_TRAILERS, QueryOrder } from '@postern/protocol/link.ts'
import { parseBody } from '../app/parse.ts'
import { type Request, type Route, refuse } from '../app/router.ts'
import type { StoreSessions } from '../stores/store-sessions.ts'

/** We end a statement that takes too long, with our own words; the store does when we are gone. */
const STORE_LATE_MS = 1_000

interface QueryRunnerParts {
  readonly stores: StoreSessions
  readonly log: Log
}

/** Runs queries: from the store's bytes to the stream's, each read only as fast as the other takes. */
export class QueryRunner implements Component {
  readonly name = 'queries'
  readonly #parts: QueryRunnerParts
  readonly #running = new Set<AbortController>()
  #draining = false
  #idle: (() => void) | undefined

  constructor(parts: QueryRunnerParts) {
    this.#parts = parts
  }

  get running(): number {
    return this.#running.size
  }

  get routes(): Readonly<Record<string, Route>> {
    return { [NODE_PATHS.query]: { doors: ['link'], handle: (request) => this.#handle(request) } }
  }

  async start(): Promise<void> {}

  /** New queries go to other nodes; those in hand may end. */
  async drain(deadline: AbortSignal): Promise<void> {
    this.#draining = true
    if (this.#running.size === 0 || deadline.aborted) return
    await new Promise<void>((resolve) => {
      this.#idle = resolve
      deadline.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  async stop(): Promise<void> {
    this.#draining = true
    this.endAll(new Fault('STOPPING'))
  }

  endAll(fault: Fault): void {
    for (const query of this.#running) query.abort(fault)
  }

  /** The fault before the first byte goes as status and stage; after it, as a trailer. */
  async #handle({ stream, body }: Request): Promise<void> {
    const abort = new AbortController()
    this.#running.add(abort)
    stream.once('close', () => {
      if (!stream.writableEnded || stream.rstCode !== constants.NGHTTP2_NO_ERROR) abort.abort(new Fault('CANCELLED'))
    })
    let release: (() => void) | undefined
    let timer: NodeJS.Timeout | undefined
    try {
      if (this.#draining) throw new Fault('STOPPING', { at: 'The node is draining.' })
      const order = parseBody(QueryOrder, body)
      timer = setTimeout(() => abort.abort(new Fault('TIMED_OUT', { at: `(${order.timeoutMs} ms)` })), order.timeoutMs)
      const opening = this.#parts.stores.acquire(order.store)
      const opened = opening instanceof Promise ? await opening : opening
      release = opened.release
      const answer = await ask(opened.session, order, abort.signal)
      await send(stream, answer, { type: FORMATS[order.format], signal: abort.signal })
    } catch (cause) {
      const fault = abort.signal.aborted ? Fault.from(abort.signal.reason) : Fault.from(cause)
      if (fault.code === 'INTERNAL') this.#parts.log.error({ err: cause }, 'a query failed unexpectedly')
      refuse(stream, fault, BEFORE_STORE.has(fault.code) ? 'before-store' : 'in-store')
    } finally {
      clearTimeout(timer)
      release?.()
      this.#running.delete(abort)
      if (this.#running.size === 0) this.#idle?.()
    }
  }
}

async function ask(session: Session, order: QueryOrder, signal: AbortSignal): Promise<Answer> {
  if (!session.query) throw new Fault('QUERY_UNSUPPORTED', { at: `(${order.store.name})` })
  signal.throwIfAborted()
  const { sql, params, mode, maxRows, format } = order
  const timeoutMs = order.endInStore ? order.timeoutMs + STORE_LATE_MS : undefined
  const answer = await session.query({ sql, params, mode, maxRows, timeoutMs, format }, signal)
  if (!signal.aborted) return answer
  answer.bytes.on('error', () => undefined).destroy()
  throw signal.reason
}

/** Most answers: no stream in between, and the head, the bytes and the trailers leave together. */
function sendWhole(
  stream: ServerHttp2Stream,
  answer: { readonly whole: Buffer; readonly rows: number; readonly type: string },
): Promise<void> {
  if (stream.destroyed || stream.closed) return Promise.resolve()
  return new Promise((resolve) => {
    stream.respond({ ':status': 200, 'content-type': answer.type }, { waitForTrailers: true })
    stream.once('wantTrailers', () => stream.sendTrailers({ [QUERY_TRAILERS.rows]: String(answer.rows) }))
    stream.once('close', resolve)
    stream.end(answer.whole)
  })
}

/** Settles when the last byte and the trailers are handed over, or the other side has left. */
function send(stream: ServerHttp2Stream, answer: Answer, how: { readonly type: string; readonly signal: AbortSignal }): Promise<void> {
  if (answer.whole) return sendWhole(stream, { whole: answer.whole, rows: answer.rows(), type: how.type })
  const { bytes } = answer
  if (stream.destroyed || stream.closed) {
    bytes.on('error', () => undefined).destroy()
    return Promise.resolve()
  }
  return new Promise((resolve) => {
    let fault: Fault | undefined
    let cutting: NodeJS.Timeout | undefined
    stream.respond({ ':status': 200, 'content-type': how.type }, { waitForTrailers: true })
    stream.once('wantTrailers', () => {
      const failed = fault ? { [QUERY_TRAILERS.fault]: Buffer.from(JSON.stringify(fault)).toString('base64url') } : {}
      stream.sendTrailers({ [QUERY_TRAILERS.rows]: String(answer.rows()), ...failed })
    })
    stream.once('close', () => {
      clearTimeout(cutting)
      // Also when the other side left: destroying the bytes cancels the statement in the store.
      if (!bytes.destroyed) bytes.destroy()
      resolve()
    })
    bytes.on('error', (cause) => {
      fault = how.signal.aborted ? Fault.from(how.signal.reason) : Fault.from(cause)
      if (stream.destroyed) return
      if (stream.closed) return stream.close(constants.NGHTTP2_CANCEL)
      stream.end()
      // A reader that takes nothing any more does not get to the trailers either.
      cutting = setTimeout(() => stream.close(constants.NGHTTP2_INTERNAL_ERROR), LIMITS.callMs)
    })
    // Not pipeline(): an error of the store must still end the stream in order, with its trailers.
    bytes.pipe(stream)
  })
}
