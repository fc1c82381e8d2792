import { type ClientHttp2Stream, constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = constants

/**
 * Joins the stream of another replica with one of a node: bytes both ways as fast as the slower side takes them, status,
 * headers, trailers, and how it ended. What broke is never ended as if whole.
 */
export function forward(from: ServerHttp2Stream, to: ClientHttp2Stream): void {
  let trailers: IncomingHttpHeaders = {}
  from.on('error', () => undefined)
  to.on('error', () => undefined)
  from.pipe(to)
  to.on('response', (headers) => {
    if (from.destroyed || from.closed) return
    from.respond(plain(headers), { waitForTrailers: true })
    to.pipe(from, { end: false })
  })
  to.on('trailers', (headers) => {
    trailers = headers
  })
  from.on('wantTrailers', () => from.sendTrailers(plain(trailers)))
  // A link that breaks ends streams too.
  const clean = () => !to.aborted && to.rstCode === NGHTTP2_NO_ERROR
  to.once('end', () => {
    if (clean()) from.end()
  })
  to.once('close', () => {
    if (from.closed || (clean() && to.readableEnded)) return
    from.close(to.rstCode === NGHTTP2_NO_ERROR ? NGHTTP2_INTERNAL_ERROR : to.rstCode)
  })
  from.once('close', () => {
    if (!to.closed) to.close(NGHTTP2_CANCEL)
  })
}

/** As they came, without what belongs to the hop. */
function plain(headers: IncomingHttpHeaders): Record<string, string | number | string[]> {
  const kept: Record<string, string | number | string[]> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && (name === ':status' || !name.startsWith(':')) && name !== 'date') kept[name] = value
  }
  return kept
}
