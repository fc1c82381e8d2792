import { type ClientHttp2Stream, constants, type Http2Session } from 'node:http2'
import { MESSAGE_HEAD, MessageReader, MessageWriter, messageOf } from '@postern/base/message-stream.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { QUERY_TRUNK } from '@postern/protocol/link.ts'
import { faultFromAnswer } from '../links/link-answer.ts'
import { AttemptFailed } from './query-attempt.ts'

/** Who waits for an answer on a trunk. One of the three is called, once. */
export interface TrunkHearer {
  /** All of it. The bytes are a part of what was read: copy what is kept. */
  all(bytes: Buffer, rows: number): void
  /** It is to be fetched by a stream of its own. */
  apart(): void
  failed(failure: AttemptFailed): void
}

export interface TrunkAsking {
  /** Nobody waits any more. */
  cancel(): void
  /** What was set apart has a stream of its own now. */
  taken(): void
}

/** asking: the node has not said yet whether it knows of trunks. none: it does not, or the trunk is over. */
export type TrunkState = 'asking' | 'open' | 'none'

/** The service's end of a trunk: many small queries on one stream of a link, each one message there and one back. */
export class QueryTrunk {
  readonly #stream: ClientHttp2Stream
  readonly #session: Http2Session | undefined
  readonly #writer: MessageWriter
  readonly #waiting = new Map<number, TrunkHearer>()
  #state: TrunkState = 'asking'
  #refused = false
  #last = 0

  constructor(stream: ClientHttp2Stream) {
    this.#stream = stream
    this.#session = stream.session
    this.#writer = new MessageWriter((bytes) => {
      if (!stream.destroyed && !stream.writableEnded) stream.write(bytes)
    })
    const reader = new MessageReader((kind, id, body) => this.#hear(kind, id, body))
    stream.once('response', (headers) => {
      if (this.#state !== 'asking') return
      this.#refused = headers[':status'] !== 200
      this.#state = this.#refused ? 'none' : 'open'
      // The body of a refusal says nothing that we do not know.
      if (this.#refused) stream.close(constants.NGHTTP2_CANCEL)
    })
    stream.on('data', (chunk: Buffer) => {
      if (this.#refused) return
      try {
        reader.take(chunk)
      } catch {
        stream.close(constants.NGHTTP2_PROTOCOL_ERROR)
      }
    })
    stream.once('end', () => this.leave())
    // An 'error' is always followed by 'close'.
    stream.on('error', () => undefined)
    const goodbye = () => this.leave()
    this.#session?.once('goaway', goodbye)
    stream.once('close', () => {
      this.#session?.off('goaway', goodbye)
      this.#state = 'none'
      this.#broke()
    })
  }

  /** The node knows of no trunks, or takes none now. */
  get refused(): boolean {
    return this.#refused
  }

  /** A link that says goodbye takes nothing new. */
  get state(): TrunkState {
    const session = this.#session
    if (this.#state !== 'none' && (!session || session.closed || session.destroyed)) this.leave()
    return this.#state
  }

  /** Only while `open`. */
  ask(order: string, hearer: TrunkHearer): TrunkAsking {
    this.#last = (this.#last + 1) % 0x1_0000_0000
    const id = this.#last
    this.#waiting.set(id, hearer)
    const message = messageOf(QUERY_TRUNK.order, id, Buffer.byteLength(order))
    message.write(order, MESSAGE_HEAD)
    this.#writer.send(message)
    return {
      cancel: () => {
        if (!this.#waiting.delete(id)) return
        this.#writer.send(messageOf(QUERY_TRUNK.cancel, id, 0))
        this.#endWhenIdle()
      },
      taken: () => {
        this.#waiting.delete(id)
        this.#endWhenIdle()
      },
    }
  }

  /** Takes nothing new, and ends when all that it has is answered. */
  leave(): void {
    this.#state = 'none'
    this.#endWhenIdle()
  }

  #endWhenIdle(): void {
    if (this.#state !== 'none' || this.#waiting.size > 0 || this.#stream.destroyed || this.#stream.writableEnded) return
    this.#writer.flush()
    this.#stream.end()
  }

  #hear(kind: number, id: number, body: Buffer): void {
    const hearer = this.#waiting.get(id)
    if (!hearer) return
    switch (kind) {
      case QUERY_TRUNK.whole:
        this.#waiting.delete(id)
        hearer.all(body.subarray(4), body.readUInt32BE(0))
        break
      case QUERY_TRUNK.apart:
        // Not forgotten: until its stream is there, `cancel` is how to say that nobody wants it.
        hearer.apart()
        break
      case QUERY_TRUNK.refused:
        this.#waiting.delete(id)
        hearer.failed(new AttemptFailed(faultFromAnswer(0, body.toString('utf8', 1)), body[0] === 0))
        break
      default:
        // A newer node may say what we do not know.
        return
    }
    this.#endWhenIdle()
  }

  #broke(): void {
    const hearers = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const hearer of hearers)
      hearer.failed(new AttemptFailed(new Fault('NODE_OFFLINE', { at: 'The link broke during the query.' }), false))
  }
}
