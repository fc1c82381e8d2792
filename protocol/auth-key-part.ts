import { z } from 'zod'

/** What the service may know of a key. */
export const AuthKeyPart = z.strictObject({
  /** SHA-256 of the join proof, hex. */
  proofHash: z.string().regex(/^[0-9a-f]{64}$/),
  /** Ed25519 public key, base64url: checks who asks for the gateway's key. */
  verifier: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  /** Enough to tell two keys apart, too little to guess one. */
  hint: z.string().max(20),
})
export type AuthKeyPart = z.infer<typeof AuthKeyPart>
