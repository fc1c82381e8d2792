import { createHash } from 'node:crypto'

/** What a join proof is looked up by: SHA-256, hex. 32 random bytes need no slow hash. */
export const hashOfProof = (proof: string): string => createHash('sha256').update(proof.trim()).digest('hex')
