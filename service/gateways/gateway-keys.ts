import { createHash } from 'node:crypto'
import type { GatewayId } from '@postern/protocol/ids.ts'

const SECRET_BYTES = 32

/** An authentication key: names its gateway for the eye, and is checked as a whole. */
export function newKey(gatewayId: GatewayId, bytes: (count: number) => Uint8Array): string {
  return `pgk_${gatewayId.slice(3, 11)}_${Buffer.from(bytes(SECRET_BYTES)).toString('base64url')}`
}

/** SHA-256, hex: 32 random bytes need no slow hash. */
export const hashOfKey = (key: string): string => createHash('sha256').update(key.trim()).digest('hex')

/** Enough to tell two keys apart, too little to guess one. */
export const hintOf = (key: string): string => `${key.slice(0, 12)}…${key.slice(-4)}`
