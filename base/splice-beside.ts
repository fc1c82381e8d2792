import { constants, type Http2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import { passOn } from './give-back.ts'
import type { SpliceHooks } from './splice.ts'

/** The far side: its bytes, and beside them a stream that says how each direction ended. */
export interface FarSide {
  readonly data: Duplex
  readonly control: Http2Stream & Duplex
}

export interface BesideHooks extends SpliceHooks {
  /** Sent to the far side before anything of the near one. */
  readonly first?: Buffer | undefined
}

const COUNT_BYTES = 8
/** A side that was told the end may take so long to close; then it is closed. */
const GOODBYE_MS = 5_000
/** The two connections are independent: what one knows the other knows only so much later. */
const BEHIND_MS = 1_000

/**
 * Like `splice`, with the bytes on a connection of their own. A direction ends when `control` ends in that direction; the only thing it
 * carries is how many bytes there were, so that a connection that was cut is never taken for one that ended, whatever TLS or TCP make of it.
 *
 *   near 'end' ──► control.end(bytes sent)      control 'end', bytes all here ──► near.end()
 *   data or control gone before that, near gone: all three are cut, and `near` hears the last words
 */
export function spliceBeside(near: Duplex, { data, control }: FarSide, hooks: BesideHooks = {}): Promise<void> {
  const { onForth, onBack } = hooks
  let sent = 0
  let received = 0
  let expected = -1
  const over = { forth: false, back: false }
  let cutting = false

  const cut = () => {
    if (cutting) return
    cutting = true
    if (!control.closed) control.close(constants.NGHTTP2_CANCEL)
    data.destroy()
    if (!over.back) {
      over.back = true
      const words = hooks.lastWords?.()
      if (near.writable) near.end(words ?? '')
    }
    unless(near, BEHIND_MS)
  }
  const bothOver = () => {
    if (!over.forth || !over.back || cutting) return
    // Ended, not destroyed: what is under way still leaves.
    data.end()
    unless(near, GOODBYE_MS)
    unless(data, GOODBYE_MS)
  }
  const backEnded = () => {
    if (over.back || expected < 0 || received < expected) return
    if (received > expected) return cut()
    over.back = true
    if (near.writable) near.end(hooks.lastWords?.() ?? '')
    bothOver()
  }
  const gone = () => {
    if (cutting || (over.forth && over.back)) return
    const limit = setTimeout(cut, BEHIND_MS)
    control.once('close', () => {
      clearTimeout(limit)
      if (!over.back || !over.forth) cut()
    })
    if (control.closed) cut()
  }

  if (hooks.first) {
    sent += hooks.first.length
    data.write(hooks.first)
  }
  near.on('data', (chunk: Buffer) => {
    onForth?.(chunk)
    sent += chunk.length
    if (!passOn(data, chunk)) near.pause()
  })
  data.on('drain', () => near.resume())
  data.on('data', (chunk: Buffer) => {
    received += chunk.length
    onBack?.(chunk)
    if (near.writable && !passOn(near, chunk)) data.pause()
    if (expected >= 0) backEnded()
  })
  near.on('drain', () => data.resume())
  near.once('end', () => {
    if (over.forth || cutting) return
    over.forth = true
    if (control.writable) control.end(countOf(sent))
    bothOver()
  })
  let count = Buffer.alloc(0)
  control.on('data', (chunk: Buffer) => {
    if (count.length <= COUNT_BYTES) count = Buffer.concat([count, chunk])
  })
  control.once('end', () => {
    // Cut short: its 'close' follows.
    if (count.length !== COUNT_BYTES) return
    expected = Number(count.readBigUInt64BE())
    backEnded()
  })
  for (const stream of [near, data, control]) stream.on('error', () => undefined)
  near.once('close', () => {
    if (!near.readableEnded) cut()
    // What it said last may still be under way; what the far side says has nowhere to go.
    else if (!over.back) unless(data, GOODBYE_MS, cut)
  })
  data.once('close', gone)
  control.once('close', () => {
    // Both directions have said their count: what is not here yet is still under way.
    const whole = control.rstCode === constants.NGHTTP2_NO_ERROR && expected >= 0 && over.forth
    if (!whole && (!over.forth || !over.back)) cut()
  })
  if (near.closed || near.destroyed) cut()
  else if (data.destroyed || control.closed) gone()
  for (const stream of [near, data, control]) stream.resume()
  return Promise.all([near, data, control].map(closed)).then(() => undefined)
}

/** What has not closed by then is destroyed: nothing is left to be said to it, or nobody takes it. */
function unless(stream: Duplex, ms: number, act: () => void = () => stream.destroy()): void {
  if (stream.closed) return
  let pending = stream.writableLength
  const look = () => {
    const left = stream.writableLength
    // What takes bytes, however slowly, is not given up.
    if (left > 0 && left < pending) {
      pending = left
      timer = setTimeout(look, ms)
    } else act()
  }
  let timer = setTimeout(look, ms)
  stream.once('close', () => clearTimeout(timer))
}

function countOf(bytes: number): Buffer {
  const count = Buffer.allocUnsafe(COUNT_BYTES)
  count.writeBigUInt64BE(BigInt(bytes))
  return count
}

function closed(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed) resolve()
    else stream.once('close', () => resolve())
  })
}
