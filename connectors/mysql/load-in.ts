import type { Readable } from 'node:stream'
import { Feed } from '../feed.ts'
import { Exchange } from './exchange.ts'
import type { LoadText } from './load-text.ts'
import { MOST_PAYLOAD, type OkFacts, packetHeader, queryCommand } from './packets.ts'
import type { ServerError } from './server-error.ts'
import type { Wire } from './wire.ts'

export interface LoadedIn {
  readonly rows: number
  readonly bytes: number
  readonly warnings: number
}

/** Pieces for the server: well below what one packet may hold, and below any max_allowed_packet. */
const PIECE_BYTES = 262_144

/** LOAD DATA LOCAL: the server asks for a file and gets the bytes of the part, no more of them than it takes. */
export class LoadIn extends Exchange {
  readonly #feed: Feed
  readonly #text: LoadText
  readonly #settle: { resolve(loaded: LoadedIn): void; reject(cause: unknown): void }
  #sequence = 0
  #bytes = 0
  #closed = false
  #error: unknown

  private constructor(
    wire: Wire,
    parts: { readonly source: Readable; readonly text: LoadText },
    settle: { resolve(loaded: LoadedIn): void; reject(cause: unknown): void },
  ) {
    super(wire)
    this.#feed = new Feed(parts.source, {
      take: (chunk) => this.#send(chunk),
      drained: (heard) => wire.drained(heard),
      end: () => this.#end(),
      failed: (cause) => this.#sourceFailed(cause),
    })
    this.#text = parts.text
    this.#settle = settle
  }

  /** Rejects with what went wrong first: the source's fault, or the server's error. What has gone in is then to be rolled back. */
  static run(wire: Wire, sql: string, parts: { readonly source: Readable; readonly text: LoadText }): Promise<LoadedIn> {
    return new Promise((resolve, reject) => wire.exchange(new LoadIn(wire, parts, { resolve, reject }), queryCommand(sql)))
  }

  protected override fileWanted(): void {
    this.#sequence = this.wire.sequence
    this.#feed.begin()
  }

  protected override done({ affected, warnings, info }: OkFacts): void {
    this.#stop()
    this.wire.release()
    if (this.#error === undefined) this.#settle.resolve({ rows: rowsOf(affected, info), bytes: this.#bytes, warnings })
    else this.#settle.reject(this.#error)
  }

  protected override failed(error: ServerError): void {
    this.#stop()
    this.wire.release()
    this.#settle.reject(this.#error ?? error)
  }

  lost(cause: Error): void {
    this.#stop()
    this.#settle.reject(this.#error ?? cause)
  }

  #send(chunk: Buffer): boolean {
    if (this.#closed) return true
    this.#bytes += chunk.length
    const text = this.#text.take(chunk)
    return !text || this.#write(text)
  }

  /** False: the socket holds enough. */
  #write(text: Buffer): boolean {
    let more = true
    this.wire.cork()
    for (let at = 0; at < text.length; at += PIECE_BYTES) {
      const piece = text.subarray(at, Math.min(at + PIECE_BYTES, at + MOST_PAYLOAD - 1))
      this.wire.send(packetHeader(piece.length, this.#sequence))
      this.#sequence += 1
      more = this.wire.send(piece)
    }
    this.wire.uncork()
    return more
  }

  #end(): void {
    if (this.#closed) return
    const rest = this.#text.end()
    if (rest) this.#write(rest)
    this.#close()
  }

  #sourceFailed(cause: unknown): void {
    if (this.#closed) return
    this.#error = cause
    this.#close()
  }

  /** An empty packet ends the file. */
  #close(): void {
    this.#closed = true
    this.wire.send(packetHeader(0, this.#sequence))
  }

  #stop(): void {
    this.#closed = true
    this.#feed.stop()
  }
}

/** A row that took the place of another counts as two that were affected; the words count each that came in once. */
function rowsOf(affected: number, info = ''): number {
  const [, records, deleted] = /Records: (\d+) +Deleted: (\d+)/.exec(info) ?? []
  return deleted === undefined || deleted === '0' ? affected : Number(records)
}
