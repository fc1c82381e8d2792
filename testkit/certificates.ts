/** A certificate authority of a test, and what companies get from theirs: chains, wildcards, many names, any kind of key. */
import { webcrypto } from 'node:crypto'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

const KINDS = {
  'RSA 2048': { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2_048 },
  'RSA 3072': { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 3_072 },
  'EC P-256': { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  'EC P-384': { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  Ed25519: { name: 'Ed25519' },
} as const
export type KeyKind = keyof typeof KINDS
const SIGNING = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const DAY_MS = 86_400_000

export interface CertificateWish {
  /** Host names and wildcards. */
  readonly names?: readonly string[]
  readonly addresses?: readonly string[]
  readonly key?: KeyKind
  readonly days?: number
  /** Issued by one between it and the root, which then stands behind it in the file. */
  readonly chain?: boolean
}

/** PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

export class CertificateAuthority {
  readonly #root: x509.X509Certificate
  readonly #keys: webcrypto.CryptoKeyPair

  private constructor(root: x509.X509Certificate, keys: webcrypto.CryptoKeyPair) {
    this.#root = root
    this.#keys = keys
  }

  static async make(name = 'Authority of a test'): Promise<CertificateAuthority> {
    const keys = await makeKeys('EC P-256')
    const root = await x509.X509CertificateGenerator.createSelfSigned({
      name: `CN=${name}`,
      keys,
      signingAlgorithm: SIGNING,
      notAfter: new Date(Date.now() + 365 * DAY_MS),
      extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
    })
    return new CertificateAuthority(root, keys)
  }

  /** PEM, for those who trust it. */
  get cert(): string {
    return this.#root.toString('pem')
  }

  async issue({ names = [], addresses = [], key = 'EC P-256', days = 365, chain = false }: CertificateWish): Promise<Certificate> {
    const issuer = chain ? await this.#between() : { certificate: this.#root, keys: this.#keys }
    const keys = await makeKeys(key)
    const alternative = [
      ...names.map((value) => ({ type: 'dns' as const, value })),
      ...addresses.map((value) => ({ type: 'ip' as const, value })),
    ]
    const leaf = await x509.X509CertificateGenerator.create({
      subject: 'CN=a node',
      issuer: issuer.certificate.subject,
      publicKey: keys.publicKey,
      signingKey: issuer.keys.privateKey,
      signingAlgorithm: SIGNING,
      notBefore: new Date(Date.now() - 400 * DAY_MS),
      notAfter: new Date(Date.now() + days * DAY_MS),
      // As most companies' authorities do: for servers only.
      extensions: [
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        ...(alternative.length > 0 ? [new x509.SubjectAlternativeNameExtension(alternative)] : []),
      ],
    })
    const cert = leaf.toString('pem') + (chain ? `\n${issuer.certificate.toString('pem')}` : '')
    return { cert, key: await privatePem(keys.privateKey) }
  }

  async #between() {
    const keys = await makeKeys('EC P-256')
    const certificate = await x509.X509CertificateGenerator.create({
      subject: 'CN=between',
      issuer: this.#root.subject,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: SIGNING,
      notAfter: new Date(Date.now() + 365 * DAY_MS),
      extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
    })
    return { certificate, keys }
  }
}

async function makeKeys(kind: KeyKind): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(KINDS[kind], true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64')
  return `-----BEGIN PRIVATE KEY-----\n${der.match(/.{1,64}/g)?.join('\n')}\n-----END PRIVATE KEY-----\n`
}
