import { randomBytes } from 'node:crypto'

/** Randomness as a part. */
export interface Random {
  /** From 0 up to, not including, 1. For spreading things out, never for secrets. */
  fraction(): number
  /** Cryptographically strong. */
  bytes(count: number): Uint8Array
}

export const systemRandom: Random = {
  fraction: () => Math.random(),
  bytes: (count) => randomBytes(count),
}
