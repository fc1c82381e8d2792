import { constants, type ServerHttp2Stream } from 'node:http2'
import { MESSAGE_HEAD, MessageReader, MessageWriter, messageOf } from '@postern/base/message-stream.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { Stage } from '@postern/protocol/link.ts'
import { QUERY_TRUNK } from '@postern/protocol/link.ts'

/** One query that came on a trunk. */
export interface TrunkQuery {
  /** The order as it came. */
  readonly body: unknown
  /** Aborted when nobody waits for the answer any more. */
  readonly abort: AbortController
  whole(bytes: Buffer, rows: number): void
  refused(fault: Fault, stage: Stage): void
  /** The answer waits for a stream of its own: from now on the trunk has no part in it. `cancelled` is told until it is `taken`. */
  apart(): void
  /** The trunk has nothing more to do with it. */
  taken(): void
}

/** The node's end of a trunk: many small queries on one stream, each one message there and one back. */
export class QueryTrunk {
  readonly #stream: ServerHttp2Stream
  readonly #ask: (query: TrunkQuery) => void
  readonly #queries = new Map<number, AbortController>()
  readonly #writer: MessageWriter
  /** Nothing more comes, or nothing more shall: it ends when all is answered. */
  #ending = false

  constructor(stream: ServerHttp2Stream, ask: (query: TrunkQuery) => void) {
    this.#stream = stream
    this.#ask = ask
    this.#writer = new MessageWriter((bytes) => {
      if (!stream.destroyed && !stream.writableEnded) stream.write(bytes)
    })
    const reader = new MessageReader((kind, id, body) => this.#hear(kind, id, body))
    stream.respond({ ':status': 200 })
    stream.on('data', (chunk: Buffer) => {
      try {
        reader.take(chunk)
      } catch {
        stream.close(constants.NGHTTP2_PROTOCOL_ERROR)
      }
    })
    stream.once('end', () => this.end())
    // The link is saying goodbye: it waits for its streams.
    const goodbye = () => this.end()
    const { session } = stream
    session?.once('goaway', goodbye)
    stream.once('close', () => {
      session?.off('goaway', goodbye)
      for (const abort of this.#queries.values()) abort.abort(new Fault('CANCELLED'))
      this.#queries.clear()
    })
  }

  /** As soon as all that it has is answered. */
  end(): void {
    this.#ending = true
    if (this.#queries.size > 0 || this.#stream.destroyed) return
    this.#writer.flush()
    this.#stream.end()
  }

  #hear(kind: number, id: number, body: Buffer): void {
    if (kind === QUERY_TRUNK.cancel) {
      this.#queries.get(id)?.abort(new Fault('CANCELLED'))
      this.#done(id)
      return
    }
    // A newer service may say what we do not know.
    if (kind !== QUERY_TRUNK.order) return
    const abort = new AbortController()
    this.#queries.set(id, abort)
    this.#ask({
      body: parsed(body),
      abort,
      whole: (bytes, rows) => {
        this.#writer.send(wholeMessage(id, bytes, rows))
        this.#done(id)
      },
      refused: (fault, stage) => {
        if (!this.#queries.has(id)) return
        this.#writer.send(refusedMessage(id, fault, stage))
        this.#done(id)
      },
      apart: () => this.#writer.send(messageOf(QUERY_TRUNK.apart, id, 0)),
      taken: () => this.#done(id),
    })
  }

  #done(id: number): void {
    this.#queries.delete(id)
    if (this.#ending) this.end()
  }
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}

function wholeMessage(id: number, bytes: Buffer, rows: number): Buffer {
  const message = messageOf(QUERY_TRUNK.whole, id, 4 + bytes.length)
  message.writeUInt32BE(rows, MESSAGE_HEAD)
  bytes.copy(message, MESSAGE_HEAD + 4)
  return message
}

function refusedMessage(id: number, fault: Fault, stage: Stage): Buffer {
  const text = JSON.stringify(fault)
  const message = messageOf(QUERY_TRUNK.refused, id, 1 + Buffer.byteLength(text))
  message[MESSAGE_HEAD] = stage === 'before-store' ? 0 : 1
  message.write(text, MESSAGE_HEAD + 1)
  return message
}
