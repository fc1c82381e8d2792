/** What a client names its connection by when it wants its statement stopped: 8 bytes, and no more may be asked with them. Pure. */
import { createHash } from 'node:crypto'
import type { ReplicaId } from '@postern/protocol/ids.ts'
import type { SessionKey } from './wire-messages.ts'

const TAG_BITS = 16

/**
 * The upper half of the process id says at which replica the connection is, so that a request to cancel that a balancer brings to
 * another one is passed on to that one only. 48 bits remain that nobody can guess; PostgreSQL's own have 32.
 */
export function newSessionKey(replica: ReplicaId, bytes: (count: number) => Uint8Array): SessionKey {
  const random = Buffer.from(bytes(6))
  return { processId: (tagOf(replica) << TAG_BITS) | random.readUInt16BE(0), secretKey: random.readInt32BE(2) }
}

/** May be true for more than one replica. */
export const isKeyOf = ({ processId }: SessionKey, replica: ReplicaId): boolean => processId >> TAG_BITS === tagOf(replica)

/** 15 bits: a process id is above 0. */
const tagOf = (replica: ReplicaId): number => createHash('sha256').update(replica).digest().readUInt16BE(0) >> 1
