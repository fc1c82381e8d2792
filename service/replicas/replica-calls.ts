import { constants, type ServerHttp2Stream } from 'node:http2'
import { Fault } from '@postern/protocol/fault.ts'
import { statusOf } from '../http/problem.ts'

/** What one replica may ask another, beside its nodes: by its path, JSON there and back. Answered from what is here, never passed on. */
export type ReplicaCalls = Readonly<Record<string, (body: unknown) => unknown>>

/** All that is asked is small. */
const ASKED_BYTES = 64 << 10

export async function answerCall(stream: ServerHttp2Stream, call: (body: unknown) => unknown): Promise<void> {
  let [status, text] = [200, '']
  try {
    text = JSON.stringify((await call(JSON.parse(await asked(stream)))) ?? null)
  } catch (cause) {
    const fault = Fault.from(cause)
    status = statusOf(fault)
    text = JSON.stringify(fault.toJSON())
  }
  if (stream.destroyed || stream.closed) return
  stream.respond({ ':status': status, 'content-type': 'application/json' })
  stream.end(text)
}

async function asked(stream: ServerHttp2Stream): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    size += (chunk as Buffer).length
    if (size > ASKED_BYTES) {
      stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM)
      throw new Fault('BODY_TOO_LARGE')
    }
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString()
}
