/** How replicas prove themselves to each other: a JWT over sender, its address, receiver and time, keyed by the secret in their database. */
import type { Clock } from '@postern/base/clock.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { ReplicaId } from '@postern/protocol/ids.ts'
import { jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import type { ReplicaRow } from './replica-repository.ts'

const SCHEME = 'PosternReplica'
const LIFE_SECONDS = 60

const Sender = z.object({ iss: ReplicaId, url: z.url() })

export async function replicaProof(secret: string, from: ReplicaRow, to: ReplicaId, clock: Clock): Promise<string> {
  const now = Math.floor(clock.now() / 1_000)
  const token = await new SignJWT({ url: from.url })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(from.id)
    .setAudience(to)
    .setIssuedAt(now)
    .setExpirationTime(now + LIFE_SECONDS)
    .sign(Buffer.from(secret, 'base64url'))
  return `${SCHEME} ${token}`
}

/** Returns who it is. `self` is who was meant: a balancer, or an address that another took over, may have brought it to the wrong one. */
export async function checkReplicaProof(
  secret: string,
  authorization: string | undefined,
  self: ReplicaId,
  clock: Clock,
): Promise<ReplicaRow> {
  const [scheme, token] = (authorization ?? '').split(' ', 2)
  if (scheme !== SCHEME || !token) throw new Fault('NOT_ALLOWED', { at: 'Only for other replicas.' })
  try {
    const { payload } = await jwtVerify(token, Buffer.from(secret, 'base64url'), {
      algorithms: ['HS256'],
      audience: self,
      requiredClaims: ['iss', 'exp'],
      currentDate: new Date(clock.now()),
      clockTolerance: LIFE_SECONDS,
    })
    const { iss, url } = Sender.parse(payload)
    return { id: iss, url }
  } catch (cause) {
    throw new Fault('NOT_ALLOWED', { at: 'Not signed by a replica on the same database, or not meant for this one.', cause })
  }
}
