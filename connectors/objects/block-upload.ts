/** A stream of unknown length as blocks of growing size, a few on their way at a time. */
import type { Readable } from 'node:stream'
import { stopIfAborted } from '../files/faults.ts'

export interface BlockSizes {
  /** Of the first blocks: small, so that memory stays small. */
  readonly firstBytes: number
  /** The size doubles after so many blocks, so that 10,000 of them reach any size that the store takes. */
  readonly doubleAfter: number
  readonly mostBytes: number
  readonly atOnce: number
}

export const BLOCKS: BlockSizes = { firstBytes: 5 << 20, doubleAfter: 1_000, mostBytes: 1 << 30, atOnce: 4 }

/**
 * Calls `send` for each block, in order of their numbers (from 1), a few at a time: reading waits while these are on their way, so
 * that memory holds no more. Returns what `send` gave, in order. A stream that fits one block is handed to `whole` instead.
 */
export async function sendBlocks<Sent>(
  bytes: Readable,
  sizes: BlockSizes,
  to: { whole(block: Buffer): Promise<void>; begin(): Promise<void>; send(block: Buffer, number: number): Promise<Sent> },
  signal: AbortSignal,
): Promise<readonly Sent[]> {
  const sent: Sent[] = []
  const going = new Set<Promise<void>>()
  let failed: { readonly cause: unknown } | undefined
  let number = 0
  const send = async (block: Buffer) => {
    number += 1
    const own = number
    if (own === 1) await to.begin()
    const work: Promise<void> = to
      .send(block, own)
      .then((result) => {
        sent[own - 1] = result
      })
      .catch((cause) => {
        failed ??= { cause }
      })
      .finally(() => going.delete(work))
    going.add(work)
    if (going.size >= sizes.atOnce) await Promise.race(going)
    if (failed) throw failed.cause
  }
  try {
    let held: Buffer[] = []
    let size = 0
    for await (const chunk of bytes) {
      stopIfAborted(signal)
      let left = chunk as Buffer
      for (;;) {
        const room = sizeOf(number, sizes) - size
        // A full block is sent only when more comes: an object that just fits one needs no blocks.
        if (left.length <= room) break
        held.push(left.subarray(0, room))
        left = left.subarray(room)
        const block = Buffer.concat(held)
        held = []
        size = 0
        await send(block)
      }
      if (left.length > 0) {
        held.push(left)
        size += left.length
      }
    }
    stopIfAborted(signal)
    if (number === 0) await to.whole(Buffer.concat(held))
    else await send(Buffer.concat(held))
    while (going.size > 0) await Promise.race(going)
    if (failed) throw (failed as { cause: unknown }).cause
    return sent
  } finally {
    // Nothing is on its way any more when this ends: what is cleaned up after it stays so.
    while (going.size > 0) await Promise.race(going)
  }
}

/** Of the block after `number` blocks. */
export function sizeOf(number: number, { firstBytes, doubleAfter, mostBytes }: BlockSizes): number {
  return Math.min(mostBytes, firstBytes * 2 ** Math.floor(number / doubleAfter))
}
