import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2'
import { BEFORE_STORE } from '@postern/connectors/query-contract.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { QUERY_TRAILERS, STAGE_HEADER } from '@postern/protocol/link.ts'
import { collectBody, faultFromAnswer, faultFromTrailer } from '../links/link-answer.ts'

/** Why an attempt gave nothing. */
export class AttemptFailed {
  readonly fault: Fault
  /** True when the store cannot have seen the statement. */
  readonly beforeStore: boolean

  constructor(fault: Fault, beforeStore: boolean) {
    this.fault = fault
    this.beforeStore = beforeStore
  }
}

export interface Receiver {
  /** False: stop, until `resume`. */
  data(chunk: Buffer): boolean
  /** All of it at once: `data` and `whole` in one. */
  all(bytes: Buffer, rows: number): void
  /** The answer is whole. */
  whole(rows: number): void
  /** The answer failed. Called once, and after it nothing else. */
  failed(failure: AttemptFailed): void
}

/** What a query holds of the one that answers it. */
export interface Asking {
  /** Nobody waits any more: the node cancels the statement. */
  cancel(): void
  /** After `data` said stop. */
  resume(): void
}

const REFUSAL_BYTES = 1 << 20

/**
 * Follows one answer of a node. It is whole only when the node said so by its trailers: a link that breaks ends streams
 * too. Plain events, no pipeline and no promise: this stands on the path of each query.
 */
export function follow(stream: ClientHttp2Stream, receiver: Receiver): Asking {
  let refused = false
  let settled = false
  let ended = false
  let trailers: IncomingHttpHeaders | undefined
  const fail = (failure: AttemptFailed) => {
    if (settled) return
    settled = true
    receiver.failed(failure)
  }
  const settle = () => {
    if (settled || !ended || !trailers) return
    const fault = trailers[QUERY_TRAILERS.fault]
    if (typeof fault === 'string') return fail(new AttemptFailed(faultFromTrailer(fault), false))
    const rows = Number(trailers[QUERY_TRAILERS.rows])
    if (!Number.isSafeInteger(rows)) return fail(new AttemptFailed(new Fault('NODE_OFFLINE', { at: 'The answer was cut short.' }), false))
    settled = true
    receiver.whole(rows)
  }

  stream.on('response', (headers) => {
    const status = headers[':status'] ?? 0
    if (status === 200) return
    refused = true
    const stage = headers[STAGE_HEADER]
    collectBody(stream, REFUSAL_BYTES).then(
      (body) => {
        const fault = faultFromAnswer(status, body)
        fail(new AttemptFailed(fault, stage === 'before-store' || (stage === undefined && BEFORE_STORE.has(fault.code))))
      },
      (cause) => fail(new AttemptFailed(Fault.from(cause), stage === 'before-store')),
    )
  })
  stream.on('data', (chunk: Buffer) => {
    if (!refused && !settled && !receiver.data(chunk)) stream.pause()
  })
  stream.on('trailers', (headers) => {
    trailers = headers
    settle()
  })
  stream.on('end', () => {
    ended = true
    settle()
  })
  // An 'error' is always followed by 'close', which tells all.
  stream.on('error', () => undefined)
  stream.on('close', () => {
    if (refused || settled) return
    // The node never looked at a stream that it refused.
    const unseen = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM
    fail(new AttemptFailed(new Fault('NODE_OFFLINE', { at: 'The link broke during the query.' }), unseen))
  })
  return {
    cancel: () => {
      if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL)
    },
    resume: () => stream.resume(),
  }
}
