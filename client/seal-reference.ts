/** For tests only: HPKE opening written from RFC 9180 with node:crypto, to hold the library and the node's vault against. */
import { createDecipheriv, createHmac, createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto'

export interface ReferenceParts {
  readonly privateKey: Uint8Array
  readonly enc: Uint8Array
  readonly ciphertext: Uint8Array
  readonly info: Uint8Array
  readonly aad: Uint8Array
  /** 1 = AES-128-GCM, 2 = AES-256-GCM. */
  readonly aead: 1 | 2
}

const text = (value: string) => Buffer.from(value, 'latin1')
const i2osp = (value: number, bytes: number) => Buffer.from(value.toString(16).padStart(bytes * 2, '0'), 'hex')
const hmac = (key: Uint8Array, ...data: Uint8Array[]) => createHmac('sha256', key).update(Buffer.concat(data)).digest()

function extract(suite: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array): Buffer {
  return hmac(salt.length > 0 ? salt : Buffer.alloc(32), text('HPKE-v1'), suite, text(label), ikm)
}

function expand(suite: Uint8Array, prk: Uint8Array, label: string, info: Uint8Array, length: number): Buffer {
  const labelled = Buffer.concat([i2osp(length, 2), text('HPKE-v1'), suite, text(label), info])
  let block = Buffer.alloc(0)
  let out = Buffer.alloc(0)
  for (let n = 1; out.length < length; n += 1) {
    block = hmac(prk, block, labelled, i2osp(n, 1))
    out = Buffer.concat([out, block])
  }
  return out.subarray(0, length)
}

const privateKeyOf = (raw: Uint8Array) =>
  createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), raw]), format: 'der', type: 'pkcs8' })
const publicKeyOf = (raw: Uint8Array) =>
  createPublicKey({ key: Buffer.concat([Buffer.from('302a300506032b656e032100', 'hex'), raw]), format: 'der', type: 'spki' })

export function publicKeyFrom(privateKey: Uint8Array): Buffer {
  return createPublicKey(privateKeyOf(privateKey)).export({ format: 'der', type: 'spki' }).subarray(-32)
}

/** SetupBaseR and the first Open of RFC 9180 for DHKEM(X25519, HKDF-SHA256) and HKDF-SHA256. */
export function referenceOpen(parts: ReferenceParts): Buffer {
  const kem = Buffer.concat([text('KEM'), i2osp(0x20, 2)])
  const dh = diffieHellman({ privateKey: privateKeyOf(parts.privateKey), publicKey: publicKeyOf(parts.enc) })
  const context = Buffer.concat([parts.enc, publicKeyFrom(parts.privateKey)])
  const shared = expand(kem, extract(kem, Buffer.alloc(0), 'eae_prk', dh), 'shared_secret', context, 32)

  const hpke = Buffer.concat([text('HPKE'), i2osp(0x20, 2), i2osp(1, 2), i2osp(parts.aead, 2)])
  const empty = Buffer.alloc(0)
  const schedule = Buffer.concat([i2osp(0, 1), extract(hpke, empty, 'psk_id_hash', empty), extract(hpke, empty, 'info_hash', parts.info)])
  const secret = extract(hpke, shared, 'secret', empty)
  const key = expand(hpke, secret, 'key', schedule, parts.aead === 1 ? 16 : 32)
  const nonce = expand(hpke, secret, 'base_nonce', schedule, 12)

  const decipher = createDecipheriv(parts.aead === 1 ? 'aes-128-gcm' : 'aes-256-gcm', key, nonce)
  decipher.setAAD(parts.aad)
  decipher.setAuthTag(parts.ciphertext.subarray(-16))
  return Buffer.concat([decipher.update(parts.ciphertext.subarray(0, -16)), decipher.final()])
}
