import { createHash, type KeyObject, sign } from 'node:crypto'
import { NODE_AUTH_SCHEME } from '@postern/protocol/link.ts'

export interface ProvenCall {
  readonly node: string
  readonly method: string
  readonly path: string
  readonly body: string
}

/** What a node proves a call with, as its authorization. `forged` claims stand in the place of the true ones. */
export function nodeProof(key: KeyObject, { node, method, path, body }: ProvenCall, forged: object = {}): string {
  const bh = createHash('sha256').update(body).digest('base64url')
  const claims = { iss: node, htm: method, htu: path, bh, iat: Math.floor(Date.now() / 1_000), ...forged }
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'EdDSA' })}.${part(claims)}`
  return `${NODE_AUTH_SCHEME} ${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`
}
