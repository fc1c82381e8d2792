/** Sums of digests: pure. */
import type { Digest } from '@postern/connectors/copy-contract.ts'

/** Digests of disjoint sets add up. Without a checksum in one of them there is none of the whole. */
export function sumOf(digests: readonly Digest[]): Digest {
  let [rows, checksum]: [number, bigint | null] = [0, 0n]
  for (const each of digests) {
    rows += each.rows
    checksum = checksum === null || each.checksum === null ? null : checksum + BigInt(each.checksum)
  }
  return { rows, checksum: checksum === null ? null : String(checksum) }
}
