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
  const send = async (block: Buffer, done?: (block: Buffer) => void) => {
    number += 1
    const own = number
    if (own === 1) await to.begin()
    const work: Promise<void> = to
      .send(block, own)
      .then((result) => {
        sent[own - 1] = result
        done?.(block)
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
    const block = new Block()
    for await (const chunk of bytes) {
      stopIfAborted(signal)
      let left = chunk as Buffer
      for (;;) {
        const room = sizeOf(number, sizes) - block.size
        // A full block is sent only when more comes: an object that just fits one needs no blocks.
        if (left.length <= room) break
        block.add(left.subarray(0, room))
        left = left.subarray(room)
        await send(block.take(sizeOf(number + 1, sizes)), (gone) => block.reuse(gone))
      }
      block.add(left)
    }
    stopIfAborted(signal)
    if (number === 0) await to.whole(block.take(0))
    else await send(block.take(0))
    while (going.size > 0) await Promise.race(going)
    if (failed) throw (failed as { cause: unknown }).cause
    return sent
  } finally {
    // Nothing is on its way any more when this ends: what is cleaned up after it stays so.
    while (going.size > 0) await Promise.race(going)
  }
}

/** The block that is being filled, in memory that an earlier one has left where there is such: new memory costs more than to fill it. */
class Block {
  #free: Buffer[] = []
  /** Of the first block, which may be all there is, and small. */
  readonly #pieces: Buffer[] = []
  #memory: Buffer | undefined
  size = 0

  add(piece: Buffer): void {
    if (this.#memory) piece.copy(this.#memory, this.size)
    else if (piece.length > 0) this.#pieces.push(piece)
    this.size += piece.length
  }

  /** What is in it; the next one holds so many bytes, or there is none. */
  take(next: number): Buffer {
    const block = this.#memory?.subarray(0, this.size) ?? Buffer.concat(this.#pieces.splice(0))
    this.#free = this.#free.filter(({ length }) => length === next)
    this.#memory = this.#free.pop() ?? (next > 0 ? Buffer.allocUnsafeSlow(next) : undefined)
    this.size = 0
    return block
  }

  /** The store has it. */
  reuse(block: Buffer): void {
    this.#free.push(block)
  }
}

/** Of the block after `number` blocks. */
export function sizeOf(number: number, { firstBytes, doubleAfter, mostBytes }: BlockSizes): number {
  return Math.min(mostBytes, firstBytes * 2 ** Math.floor(number / doubleAfter))
}
