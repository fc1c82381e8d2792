import type { Readable } from 'node:stream'
import { Fault } from '@postern/protocol/fault.ts'

/** Who takes the bytes. After `end` or `failed`, whichever is first, and after `stop`, it hears no more. */
export interface Eater {
  /** False: it holds enough, and says by `drained` when it takes more. */
  take(chunk: Buffer): boolean
  drained(heard: () => void): void
  end(): void
  failed(cause: unknown): void
}

/** Hands a source's bytes on as they come, no more of them than are taken. What became of the source before `begin` is told then. */
export class Feed {
  readonly #source: Readable
  readonly #eater: Eater
  #stopped = false
  readonly #onData = (chunk: Buffer) => this.#pass(chunk)
  readonly #onEnd = () => this.#over(() => this.#eater.end())
  readonly #onError = (cause: unknown) => this.#over(() => this.#eater.failed(cause))
  readonly #onClose = () => this.#onError(new Fault('CANCELLED', { at: 'The source of the rows was closed before its end.' }))

  constructor(source: Readable, eater: Eater) {
    this.#source = source
    this.#eater = eater
  }

  begin(): void {
    const source = this.#source
    if (source.errored) this.#onError(source.errored)
    else if (source.readableEnded) this.#onEnd()
    else if (source.destroyed) this.#onClose()
    else this.#listen(source)
  }

  stop(): void {
    this.#stopped = true
    const source = this.#source
    source.off('data', this.#onData)
    source.off('end', this.#onEnd)
    source.off('error', this.#onError)
    source.off('close', this.#onClose)
  }

  #listen(source: Readable): void {
    source.on('data', this.#onData)
    source.once('end', this.#onEnd)
    source.once('error', this.#onError)
    source.once('close', this.#onClose)
    source.resume()
  }

  #pass(chunk: Buffer): void {
    if (this.#stopped || this.#eater.take(chunk)) return
    this.#source.pause()
    this.#eater.drained(() => this.#source.resume())
  }

  #over(tell: () => void): void {
    if (this.#stopped) return
    this.stop()
    tell()
  }
}
