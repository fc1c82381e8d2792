import { randomBytes } from 'node:crypto'

/** Randomness as a part. */
export interface Random {
  /** From 0 up to, not including, 1. For spreading things out, never for secrets. */
  fraction(): number
  /** Cryptographically strong. */
  bytes(count: number): Uint8Array
}

/** Asking the system costs the same for one byte as for many, and ids are made on the path of each query. */
const POOL_BYTES = 4_096
let pool: Buffer = Buffer.alloc(0)
let used = 0

function pooled(count: number): Uint8Array {
  if (count > POOL_BYTES / 8) return randomBytes(count)
  if (used + count > pool.length) {
    pool = randomBytes(POOL_BYTES)
    used = 0
  }
  const bytes = Uint8Array.prototype.slice.call(pool, used, used + count)
  // What was given away is not kept.
  pool.fill(0, used, used + count)
  used += count
  return bytes
}

export const systemRandom: Random = {
  fraction: () => Math.random(),
  bytes: pooled,
}
