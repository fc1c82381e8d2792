/** An answer on a stream of its own: from the store's bytes to the stream's, each read only as fast as the other takes. */
import { constants, type ServerHttp2Stream } from 'node:http2'
import type { Answer } from '@postern/connectors/query-contract.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { QUERY_TRAILERS } from '@postern/protocol/link.ts'

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
export function send(
  stream: ServerHttp2Stream,
  answer: Answer,
  how: { readonly type: string; readonly signal: AbortSignal },
): Promise<void> {
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
