/** How replicas prove themselves to each other: a JWT over sender, receiver and time, signed with the sender's key. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { Clock } from '@postern/base/clock.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { ReplicaId } from '@postern/protocol/ids.ts'
import { decodeJwt, importJWK, jwtVerify, SignJWT } from 'jose'
import type { ReplicaRow } from './replica-repository.ts'

const SCHEME = 'PosternReplica'
const LIFE_SECONDS = 60
const ALGORITHM = 'EdDSA'

/** Made by the process, and only there: what is in the database, in its backups and on disks proves nothing. */
export interface ReplicaKey {
  readonly privateKey: KeyObject
  readonly publicKey: string
}

export function makeReplicaKey(): ReplicaKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return { privateKey, publicKey: publicKey.export({ format: 'jwk' }).x ?? '' }
}

export async function replicaProof({ privateKey }: ReplicaKey, from: ReplicaId, to: ReplicaId, clock: Clock): Promise<string> {
  const now = Math.floor(clock.now() / 1_000)
  const token = await new SignJWT()
    .setProtectedHeader({ alg: ALGORITHM })
    .setIssuer(from)
    .setAudience(to)
    .setIssuedAt(now)
    .setExpirationTime(now + LIFE_SECONDS)
    .sign(privateKey)
  return `${SCHEME} ${token}`
}

export interface ReplicaCheck {
  /** Who was meant: a balancer, or an address that another took over, may have brought it to the wrong one. */
  readonly self: ReplicaId
  /** As it has written itself into the database; undefined where it has not. */
  readonly known: (id: ReplicaId) => Promise<ReplicaRow | undefined>
  readonly clock: Clock
}

/** Returns who it is. */
export async function checkReplicaProof(authorization: string | undefined, { self, known, clock }: ReplicaCheck): Promise<ReplicaRow> {
  const [scheme, token] = (authorization ?? '').split(' ', 2)
  if (scheme !== SCHEME || !token) throw new Fault('NOT_ALLOWED', { at: 'Only for other replicas.' })
  const refused = (cause?: unknown) =>
    new Fault('NOT_ALLOWED', { at: 'Not signed by a replica on the same database, or not meant for this one.', cause })
  const sender = senderOf(token)
  const row = sender && (await known(sender))
  if (!row) throw refused()
  try {
    const key = await importJWK({ kty: 'OKP', crv: 'Ed25519', x: row.publicKey }, ALGORITHM)
    await jwtVerify(token, key, {
      algorithms: [ALGORITHM],
      issuer: row.id,
      audience: self,
      requiredClaims: ['exp'],
      currentDate: new Date(clock.now()),
      clockTolerance: LIFE_SECONDS,
    })
    return row
  } catch (cause) {
    throw refused(cause)
  }
}

/** Who it says that it is: nothing of it is believed before the signature. */
function senderOf(token: string): ReplicaId | undefined {
  try {
    return ReplicaId.safeParse(decodeJwt(token).iss).data
  } catch {
    return undefined
  }
}
