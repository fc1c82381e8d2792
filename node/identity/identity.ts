import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { Clock } from '@postern/base/clock.ts'
import { NODE_AUTH_SCHEME } from '@postern/protocol/link.ts'

const HEADER = Buffer.from('{"alg":"EdDSA","typ":"JWT"}').toString('base64url')

/** The node's Ed25519 key, made on the node and never sent: every call to the service is signed with it. */
export class Identity {
  readonly #key: KeyObject

  private constructor(key: KeyObject) {
    this.#key = key
  }

  static generate(): Identity {
    return new Identity(generateKeyPairSync('ed25519').privateKey)
  }

  /** From what `export` gave. */
  static parse(text: string): Identity {
    return new Identity(createPrivateKey({ key: Buffer.from(text, 'base64url'), format: 'der', type: 'pkcs8' }))
  }

  export(): string {
    return this.#key.export({ format: 'der', type: 'pkcs8' }).toString('base64url')
  }

  /** The 32 raw bytes of the public key, base64url. */
  publicKey(): string {
    return createPublicKey(this.#key).export({ format: 'jwk' }).x ?? ''
  }

  /** Ed25519, base64url. What is signed must say what it is for. */
  sign(text: string): string {
    return sign(null, Buffer.from(text), this.#key).toString('base64url')
  }

  /** `Authorization` of one call: a JWS that is bound to method, path and body (protocol/link.ts). */
  authorization(call: { readonly issuer: string; readonly method: string; readonly path: string; readonly body: string }, clock: Clock) {
    const claims = {
      iss: call.issuer,
      htm: call.method,
      htu: call.path,
      bh: createHash('sha256').update(call.body).digest('base64url'),
      iat: Math.floor(clock.now() / 1_000),
    }
    const signed = `${HEADER}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
    return `${NODE_AUTH_SCHEME} ${signed}.${sign(null, Buffer.from(signed), this.#key).toString('base64url')}`
  }
}
