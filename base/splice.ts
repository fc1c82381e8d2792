import type { Duplex } from 'node:stream'
import { passOn } from './give-back.ts'

export interface SpliceHooks {
  /** Bytes from `one` to `other`, before they are written. */
  readonly onForth?: (chunk: Buffer) => void
  readonly onBack?: (chunk: Buffer) => void
  /** `other` says nothing more, for whatever reason: what `one` is still told before its end. */
  readonly lastWords?: () => Buffer | undefined
}

/** A side that was told the end may take so long to close; then it is closed. */
const GOODBYE_MS = 5_000

/**
 * Joins two connections: bytes pass as they come, each side is read only as fast as the other takes them, an end passes as an
 * end, and what breaks one breaks the other. Settles when both are closed. Plain events: half the price of pipe() where messages are small.
 */
export function splice(one: Duplex, other: Duplex, hooks: SpliceHooks = {}): Promise<void> {
  pass(one, other, hooks.onForth, () => undefined)
  pass(other, one, hooks.onBack, hooks.lastWords ?? (() => undefined))
  return Promise.all([closed(one), closed(other)]).then(() => undefined)
}

function pass(from: Duplex, to: Duplex, seen: ((chunk: Buffer) => void) | undefined, lastWords: () => Buffer | undefined): void {
  let over = false
  const end = () => {
    if (over) return
    over = true
    const words = lastWords()
    if (!to.writable) return
    if (words) to.end(words)
    else to.end()
  }
  from.on('data', (chunk: Buffer) => {
    seen?.(chunk)
    if (to.writable && !passOn(to, chunk)) from.pause()
  })
  to.on('drain', () => from.resume())
  from.once('end', end)
  // An 'error' is always followed by 'close'.
  from.on('error', () => undefined)
  const gone = () => {
    const broken = !from.readableEnded
    end()
    if (to.closed) return
    // The peer has GOODBYE_MS to take what is left; a connection that broke has nothing left to be told but its last words.
    const cut = setTimeout(() => to.destroy(), broken ? GOODBYE_MS / 5 : GOODBYE_MS)
    to.once('close', () => clearTimeout(cut))
  }
  if (from.closed) gone()
  else from.once('close', gone)
  // It may have been held until there was somebody to take its bytes.
  from.resume()
}

function closed(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed) resolve()
    else stream.once('close', () => resolve())
  })
}
