import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2'
import { constants } from 'node:http2'
import { Fault } from '@postern/protocol/fault.ts'
import { z } from 'zod'

/** The most that one JSON answer of a node may hold: a catalogue of 10,000 entries with columns fits. */
export const ANSWER_BYTES = 32 << 20

/** A fault as a node sends it: FaultJson, or problem+json with the same words. */
const SentFault = z.object({
  code: z.string().max(64),
  message: z.string().max(8_192).optional(),
  detail: z.string().max(8_192).optional(),
  remedy: z.string().max(2_048).optional(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
})

/** The fault in the body of a refusal; what is not one becomes INTERNAL with the status in words. */
export function faultFromAnswer(status: number, body: string): Fault {
  const sent = SentFault.safeParse(parsed(body))
  if (!sent.success) return new Fault('INTERNAL', { at: `The node answered with status ${status}.` })
  const { code, message, detail, remedy, details } = sent.data
  return Fault.fromJson({ code, message: message ?? detail ?? code, remedy, details })
}

/** The fault in the trailer of a query: FaultJson, base64url. */
export function faultFromTrailer(value: string): Fault {
  const sent = SentFault.safeParse(parsed(Buffer.from(value, 'base64url').toString()))
  if (!sent.success) return new Fault('INTERNAL', { at: 'The node cut the answer short.' })
  const { code, message, detail, remedy, details } = sent.data
  return Fault.fromJson({ code, message: message ?? detail ?? code, remedy, details })
}

/** The whole body as text, at most `most` bytes; the stream's failures as faults. */
export function collectBody(stream: ClientHttp2Stream, most: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= most) return void chunks.push(chunk)
      stream.close(constants.NGHTTP2_CANCEL)
      reject(new Fault('BODY_TOO_LARGE', { at: `The node's answer is larger than ${most} bytes.` }))
    })
    // A link that breaks ends the stream too: only one that the node ended is whole.
    stream.once('end', () => {
      if (!stream.aborted && stream.rstCode === constants.NGHTTP2_NO_ERROR) resolve(Buffer.concat(chunks).toString())
    })
    stream.once('error', (cause) => reject(new Fault('NODE_OFFLINE', { at: 'The link broke during the answer.', cause })))
    stream.once('close', () => reject(new Fault('NODE_OFFLINE', { at: 'The link broke during the answer.' })))
  })
}

export async function collectAnswer(stream: ClientHttp2Stream, signal: AbortSignal): Promise<unknown> {
  const cancel = () => stream.close(constants.NGHTTP2_CANCEL)
  signal.addEventListener('abort', cancel, { once: true })
  if (signal.aborted) cancel()
  try {
    let status = 0
    stream.once('response', (headers: IncomingHttpHeaders & { ':status'?: number }) => {
      status = headers[':status'] ?? 0
    })
    const body = await collectBody(stream, ANSWER_BYTES)
    if (status === 0) throw new Fault('NODE_OFFLINE', { at: 'The link broke before the answer.' })
    if (status < 200 || status > 299) throw faultFromAnswer(status, body)
    if (body === '') return undefined
    const answer = parsed(body)
    if (answer === undefined) throw new Fault('INTERNAL', { at: 'The node answered with something else than JSON.' })
    return answer
  } catch (cause) {
    if (signal.aborted) throw Fault.from(signal.reason)
    throw cause
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
