import { constants, type ServerHttp2Stream } from 'node:http2'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import type { Session } from '@postern/connectors/contract.ts'
import { type Answer, BEFORE_STORE } from '@postern/connectors/query-contract.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { FORMATS } from '@postern/protocol/formats.ts'
import type { QueryId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { NODE_PATHS, QueryOrder, QueryRest, type Stage, TRUNK_BYTES } from '@postern/protocol/link.ts'
import { parseBody } from '../app/parse.ts'
import { type Request, type Route, refuse } from '../app/router.ts'
import type { StoreSessions } from '../stores/store-sessions.ts'
import { send } from './query-reply.ts'
import { QueryTrunk, type TrunkQuery } from './query-trunk.ts'

/** We end a statement that takes too long, with our own words; the store does when we are gone. */
const STORE_LATE_MS = 1_000

interface QueryRunnerParts {
  readonly stores: StoreSessions
  readonly log: Log
}

/** By which way a query came, and its answer leaves. */
interface Way {
  /** Settles when the answer has left, or nobody wants it any more. */
  answered(answer: Answer, order: QueryOrder): Promise<void> | undefined
  refused(fault: Fault, stage: Stage): void
}

/** Takes queries from the link to the stores. */
export class QueryRunner implements Component {
  readonly name = 'queries'
  readonly #parts: QueryRunnerParts
  readonly #running = new Set<AbortController>()
  readonly #trunks = new Set<QueryTrunk>()
  /** Answers that wait for a stream of their own. */
  readonly #apart = new Map<QueryId, (stream: ServerHttp2Stream) => void>()
  #draining = false
  #idle: (() => void) | undefined

  constructor(parts: QueryRunnerParts) {
    this.#parts = parts
  }

  get running(): number {
    return this.#running.size
  }

  get routes(): Readonly<Record<string, Route>> {
    return {
      [NODE_PATHS.query]: { doors: ['link'], handle: (request) => this.#alone(request) },
      [NODE_PATHS.queryTrunk]: { doors: ['link'], duplex: true, handle: (request) => this.#trunk(request) },
      [NODE_PATHS.queryRest]: { doors: ['link'], handle: (request) => this.#rest(request) },
    }
  }

  async start(): Promise<void> {}

  /** New queries go to other nodes; those in hand may end. */
  async drain(deadline: AbortSignal): Promise<void> {
    this.#draining = true
    if (this.#running.size > 0 && !deadline.aborted) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve
        deadline.addEventListener('abort', () => resolve(), { once: true })
      })
    }
    for (const trunk of this.#trunks) trunk.end()
  }

  async stop(): Promise<void> {
    this.#draining = true
    this.endAll(new Fault('STOPPING'))
  }

  endAll(fault: Fault): void {
    for (const query of this.#running) query.abort(fault)
  }

  /** On a stream of its own. The fault before the first byte goes as status and stage; after it, as a trailer. */
  #alone({ stream, body }: Request): Promise<void> {
    const abort = new AbortController()
    stream.once('close', () => {
      if (!stream.writableEnded || stream.rstCode !== constants.NGHTTP2_NO_ERROR) abort.abort(new Fault('CANCELLED'))
    })
    return this.#run(body, abort, {
      answered: (answer, order) => send(stream, answer, { type: FORMATS[order.format], signal: abort.signal }),
      refused: (fault, stage) => refuse(stream, fault, stage),
    })
  }

  async #trunk({ stream }: Request): Promise<void> {
    if (this.#draining) throw new Fault('STOPPING', { at: 'The node is draining.' })
    const trunk = new QueryTrunk(stream, (query) => void this.#onTrunk(query))
    this.#trunks.add(trunk)
    stream.once('close', () => this.#trunks.delete(trunk))
  }

  /** Never rejects, as `#run` never does. */
  #onTrunk(query: TrunkQuery): Promise<void> {
    return this.#run(query.body, query.abort, {
      answered: (answer, order) => {
        if (!answer.whole || answer.whole.length > TRUNK_BYTES) return this.#setApart(query, answer, order)
        query.whole(answer.whole, answer.rows())
        return undefined
      },
      refused: (fault, stage) => query.refused(fault, stage),
    })
  }

  /** The answer waits until a stream comes for it; the store is held back meanwhile. */
  #setApart(query: TrunkQuery, answer: Answer, { query: id, format }: QueryOrder): Promise<void> {
    const { signal } = query.abort
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', leave)
        this.#apart.delete(id)
      }
      const leave = () => {
        done()
        query.taken()
        answer.bytes.on('error', () => undefined).destroy()
        resolve()
      }
      const timer = setTimeout(leave, LIMITS.callMs)
      signal.addEventListener('abort', leave, { once: true })
      this.#apart.set(id, (stream) => {
        done()
        query.taken()
        stream.once('close', () => {
          if (!stream.writableEnded || stream.rstCode !== constants.NGHTTP2_NO_ERROR) query.abort.abort(new Fault('CANCELLED'))
        })
        void send(stream, answer, { type: FORMATS[format], signal }).then(resolve)
      })
      query.apart()
    })
  }

  async #rest({ stream, body }: Request): Promise<void> {
    const take = this.#apart.get(parseBody(QueryRest, body).query)
    if (take) take(stream)
    else refuse(stream, new Fault('NODE_OFFLINE', { at: 'The answer is not there any more.' }), 'in-store')
  }

  async #run(body: unknown, abort: AbortController, way: Way): Promise<void> {
    this.#running.add(abort)
    let release: (() => void) | undefined
    let timer: NodeJS.Timeout | undefined
    try {
      if (this.#draining) throw new Fault('STOPPING', { at: 'The node is draining.' })
      const order = parseBody(QueryOrder, body)
      timer = setTimeout(() => abort.abort(new Fault('TIMED_OUT', { at: `(${order.timeoutMs} ms)` })), order.timeoutMs)
      const opening = this.#parts.stores.acquire(order.store)
      let opened = opening instanceof Promise ? await opening : opening
      release = opened.release
      let given: Answer
      try {
        given = await ask(opened.session, order, abort.signal)
      } catch (cause) {
        if (!(await opened.renewed(cause))) throw cause
        opened.release()
        opened = await this.#parts.stores.acquire(order.store)
        release = opened.release
        given = await ask(opened.session, order, abort.signal)
      }
      const leaving = way.answered(given, order)
      if (leaving) await leaving
    } catch (cause) {
      const fault = abort.signal.aborted ? Fault.from(abort.signal.reason) : Fault.from(cause)
      if (fault.code === 'INTERNAL') this.#parts.log.error({ err: cause }, 'a query failed unexpectedly')
      way.refused(fault, BEFORE_STORE.has(fault.code) ? 'before-store' : 'in-store')
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
