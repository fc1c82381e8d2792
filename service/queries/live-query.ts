import type { ServerResponse } from 'node:http'
import type { Clock } from '@postern/base/clock.ts'
import type { Random } from '@postern/base/random.ts'
import type { Labels } from '@postern/protocol/api/gateways.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { FORMATS } from '@postern/protocol/formats.ts'
import type { GatewayId, StoreId } from '@postern/protocol/ids.ts'
import type { LinkRegistry } from '../links/link-registry.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import type { NodeFacts } from '../nodes/node-facts.ts'
import type { Admission } from './admission.ts'
import { atLimit, noNode } from './choice-faults.ts'
import { choose, type LimitName } from './choose.ts'
import type { NodeHealth } from './node-health.ts'
import { askNode } from './query-ask.ts'
import { type Asking, AttemptFailed, type Receiver } from './query-attempt.ts'
import { type EffectiveLimits, tooLarge, tooLate, tooManyRows } from './query-limits.ts'
import { type AttemptRecord, candidatesAfter, faultInWords, type QueryRecord } from './query-record.ts'
import type { QueryTrunks } from './query-trunks.ts'
import { ReplyWriter } from './reply-writer.ts'

export interface LiveQueryParts {
  readonly nodes: Pick<NodeDirectory, 'nodesOf' | 'gateway'>
  readonly links: Pick<LinkRegistry, 'open'>
  readonly trunks: QueryTrunks
  readonly admission: Admission
  readonly health: NodeHealth
  readonly clock: Clock
  readonly random: Random
}

export interface Asked {
  readonly gatewayId: GatewayId
  readonly store: { readonly id: StoreId; readonly name: string; readonly version: number }
  readonly sealed: boolean
  /** What a node must carry to answer for the store. */
  readonly labels: Labels
  readonly sql: string
  readonly params: readonly unknown[]
  readonly limits: EffectiveLimits
  /** For round-robin. */
  readonly turn: number
}

/** The node ends a query that takes too long, with its own words; we do when the node does not. */
const NODE_LATE_MS = 500

/**
 * One query from its admission to the last byte.
 *
 *   admit ──► ask a node ──► bytes ──► whole
 *     ▲            │           │
 *     └─ failed ◄──┘           └─► cut: never ended as if whole
 *
 * A failure before the store saw the statement goes to the next node. After that only when the query is read-only and
 * nothing was sent to the client. A client that leaves resets the node's stream, and the node cancels the statement.
 */
export class LiveQuery implements Receiver {
  readonly #parts: LiveQueryParts
  readonly #asked: Asked
  readonly #record: QueryRecord
  readonly #raw: ServerResponse
  readonly #writer: ReplyWriter
  readonly #began: number
  readonly #tried = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #waiting: AbortController | undefined
  #node: NodeFacts | undefined
  #asking: Asking | undefined
  #attempt: { readonly record: AttemptRecord; readonly at: number; firstByteMs?: number } | undefined
  #lastFault: Fault | undefined
  #limit: LimitName | null = null
  #over = false
  #resolve: () => void = () => undefined
  #reject: (fault: Fault) => void = () => undefined

  constructor(parts: LiveQueryParts, asked: Asked, record: QueryRecord, raw: ServerResponse) {
    this.#parts = parts
    this.#asked = asked
    this.#record = record
    this.#raw = raw
    this.#began = parts.clock.monotonic()
    this.#writer = new ReplyWriter(raw, () => ({
      'content-type': FORMATS[record.format],
      'postern-query-id': record.id,
      'postern-node': record.node ?? '',
      'postern-attempts': String(record.attempts.length),
    }))
  }

  /** Resolves when the answer has ended, whole or cut. Rejects when nothing was sent: then the fault is the answer. */
  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      // It may have left while it was looked up who it is and what it asks: then nothing would tell us any more.
      if (this.#raw.destroyed) {
        this.#end('cancelled', null)
        return
      }
      this.#raw.once('close', this.#closed)
      this.#timer = setTimeout(() => this.#fail(tooLate(this.#asked.limits.timeout)), this.#asked.limits.timeout.value + NODE_LATE_MS)
      this.#next()
    })
  }

  /** Somebody ends it. */
  end(fault: Fault): void {
    this.#fail(fault)
  }

  // ── the node's end ─────────────────────────────────────────────────────────────────────────────

  data(chunk: Buffer): boolean {
    this.#record.firstRowMs ??= this.#elapsed()
    if (this.#attempt) this.#attempt.firstByteMs ??= this.#parts.clock.monotonic() - this.#attempt.at
    const { bytes } = this.#asked.limits
    if (bytes && this.#writer.bytes + chunk.length > bytes.value) {
      this.#fail(tooLarge(bytes))
      return true
    }
    if (this.#writer.write(chunk)) return true
    const asking = this.#asking
    this.#raw.once('drain', () => asking?.resume())
    return false
  }

  all(bytes: Buffer, rows: number): void {
    if (this.#over) return
    const most = this.#asked.limits.bytes
    if (bytes.length > 0) this.#record.firstRowMs ??= this.#elapsed()
    this.#writer.whole(bytes)
    if (most && bytes.length > most.value) this.#fail(tooLarge(most))
    else this.whole(rows)
  }

  whole(rows: number): void {
    this.#record.rows = rows
    this.#endAttempt('answered', null)
    const most = this.#asked.limits.rows
    if (most && rows > most.value) {
      this.#fail(tooManyRows(most))
      return
    }
    // The response's 'close' follows when the last byte has left, or the client.
    this.#writer.end()
  }

  failed({ fault: said, beforeStore }: AttemptFailed): void {
    if (this.#over) return
    // The node knows how long it was given, not by whom.
    const fault = said.code === 'TIMED_OUT' && this.#left() <= 0 ? tooLate(this.#asked.limits.timeout) : said
    if (this.#node && (beforeStore || fault.canPass)) this.#parts.health.failed(this.#node.id)
    this.#endAttempt('failed', fault)
    const again = beforeStore || (this.#record.mode === 'read' && fault.canPass && fault.code !== 'TIMED_OUT')
    if (this.#writer.began || !again || this.#left() <= 0) {
      this.#fail(fault)
      return
    }
    this.#lastFault = fault
    this.#record.firstRowMs = null
    this.#writer.reset()
    this.#next()
  }

  // ── choosing and asking ────────────────────────────────────────────────────────────────────────

  #next(): void {
    const { nodes, admission } = this.#parts
    const { gatewayId } = this.#asked
    const from = this.#parts.clock.monotonic()
    try {
      const admitted = admission.admit({
        gatewayId,
        caller: this.#record.caller,
        kind: `${this.#asked.store.id} ${[...this.#tried].join(' ')}`,
        pick: () => this.#pick(),
        full: () => atLimit(this.#limit),
        timeoutMs: nodes.gateway(gatewayId)?.settings.queueTimeoutMs ?? 0,
        signal: () => {
          this.#waiting = new AbortController()
          return this.#waiting.signal
        },
      })
      if (!(admitted instanceof Promise)) this.#ask(admitted)
      else {
        const waited = () => {
          this.#record.queuedMs += this.#parts.clock.monotonic() - from
        }
        admitted.finally(waited).then(
          (node) => this.#ask(node),
          (cause) => this.#fail(Fault.from(cause)),
        )
      }
    } catch (cause) {
      this.#fail(Fault.from(cause))
    }
  }

  #pick(): NodeFacts | undefined {
    const { nodes, admission, health, random } = this.#parts
    const { gatewayId, sealed, labels, turn, store } = this.#asked
    const { order, considered, limit } = choose({
      nodes: nodes.nodesOf(gatewayId),
      policy: nodes.gateway(gatewayId)?.settings.policy ?? 'primary-first',
      running: (node) => admission.running(node.id),
      health,
      labels,
      turn,
      random,
      sealed,
      store,
      tried: this.#tried,
    })
    this.#record.candidates = candidatesAfter(this.#record, considered)
    this.#limit = limit
    if (order[0] || limit) return order[0]
    throw this.#lastFault ?? noNode(this.#record.gateway, considered)
  }

  #ask(node: NodeFacts): void {
    this.#node = node
    if (this.#over) {
      this.#release()
      return
    }
    this.#tried.add(node.id)
    this.#record.node = node.name
    const { clock } = this.#parts
    const record: AttemptRecord = { node: node.name, startedAt: clock.now(), durationMs: 0, outcome: 'cancelled', fault: null }
    this.#attempt = { record, at: clock.monotonic() }
    this.#record.attempts.push(record)
    const { store, sql, params, limits } = this.#asked
    const { id: query, mode, format } = this.#record
    const timeoutMs = Math.max(1, Math.ceil(this.#left()))
    const order = { query, store, sql, params, mode, maxRows: limits.maxRows, timeoutMs, endInStore: limits.timeoutChosen, format }
    try {
      this.#asking = askNode(this.#parts, node.id, order, this)
    } catch (cause) {
      this.failed(new AttemptFailed(Fault.from(cause), true))
    }
  }

  // ── the end ────────────────────────────────────────────────────────────────────────────────────

  /** The response is over: whole, or the client has left. */
  readonly #closed = (): void => {
    if (!this.#over) this.#end(this.#raw.writableFinished ? 'succeeded' : 'cancelled', null)
  }

  /** It failed for good: as an answer where nothing was sent, else by cutting what was. */
  #fail(fault: Fault): void {
    if (this.#over) return
    const { began } = this.#writer
    this.#end('failed', fault)
    if (!began) return
    this.#writer.cut()
  }

  #end(outcome: QueryRecord['outcome'], fault: Fault | null): void {
    this.#over = true
    clearTimeout(this.#timer)
    this.#raw.off('close', this.#closed)
    this.#waiting?.abort(new Fault('CANCELLED'))
    this.#endAttempt(fault ? 'failed' : 'cancelled', fault)
    const record = this.#record
    record.outcome = outcome
    record.durationMs = this.#elapsed()
    record.bytes = this.#writer.bytes
    record.fault = fault && faultInWords(fault, this.#asked.params)
    if (fault && !this.#writer.began) {
      this.#writer.reset()
      this.#reject(fault)
    } else this.#resolve()
  }

  /** Also cancels the statement when the node has not ended. */
  #endAttempt(outcome: AttemptRecord['outcome'], fault: Fault | null): void {
    const attempt = this.#attempt
    if (!attempt) return
    this.#attempt = undefined
    attempt.record.outcome = outcome
    attempt.record.durationMs = this.#parts.clock.monotonic() - attempt.at
    if (outcome === 'answered' && this.#node) this.#parts.health.answered(this.#node.id, attempt.firstByteMs ?? attempt.record.durationMs)
    attempt.record.fault = fault && faultInWords(fault, this.#asked.params)
    const asking = this.#asking
    this.#asking = undefined
    if (outcome !== 'answered') asking?.cancel()
    this.#release()
  }

  #release(): void {
    const node = this.#node
    this.#node = undefined
    if (node) this.#parts.admission.release(this.#asked.gatewayId, node.id)
  }

  #elapsed(): number {
    return this.#parts.clock.monotonic() - this.#began
  }

  #left(): number {
    return this.#asked.limits.timeout.value - this.#elapsed()
  }
}
