import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

/** A key for the channel and the request for its certificate. */
export interface ChannelKey {
  /** P-256, PKCS#8, PEM. */
  readonly privateKey: string
  /** PKCS#10, PEM. */
  readonly csr: string
}

/**
 * PKCS#10 (RFC 2986) by hand: forty bytes of structure around what node:crypto makes. A library for it would cost an idle
 * node some 25 MB of memory.
 */
export function makeChannelKey(commonName: string): ChannelKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const info = sequence(
    der(0x02, Buffer.from([0])),
    sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(commonName))))),
    publicKeyInfo(privateKey),
    der(0xa0, Buffer.alloc(0)),
  )
  const signature = sign('sha256', info, privateKey)
  const request = sequence(info, sequence(oid('2a8648ce3d040302')), der(0x03, Buffer.concat([Buffer.from([0]), signature])))
  return { privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(), csr: pem('CERTIFICATE REQUEST', request) }
}

function publicKeyInfo(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' })
}

/** Tag, length, content (X.690). */
function der(tag: number, content: Buffer): Buffer {
  const size = content.length
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, Buffer.concat(parts))
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'))

function pem(label: string, body: Buffer): string {
  const lines = body.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
