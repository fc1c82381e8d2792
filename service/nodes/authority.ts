/** The service's own certificate authority: it tells the nodes of a gateway each other's names, nothing else. */
import type { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import type { X509Certificate } from '@peculiar/x509'
import type { Clock } from '@postern/base/clock.ts'
import type { Random } from '@postern/base/random.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { GatewayId, NodeId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import type { Kysely } from 'kysely'
import type { Tables } from '../db/tables.ts'

const EC = { name: 'ECDSA', namedCurve: 'P-256' } as const
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const
const AUTHORITY_MS = 10 * 365 * 86_400_000
/** Clocks of nodes may be behind. */
const BACKDATE_MS = 300_000

export interface Issued {
  /** PEM. */
  readonly certificate: string
  readonly authority: string
}

interface Ready {
  readonly certificate: X509Certificate
  readonly key: webcrypto.CryptoKey
}

export interface AuthorityParts {
  readonly db: Kysely<Tables>
  readonly clock: Clock
  readonly random: Random
}

export class Authority {
  readonly #parts: AuthorityParts
  #ready: Promise<Ready> | undefined

  constructor(parts: AuthorityParts) {
    this.#parts = parts
  }

  /** Fails with INPUT_INVALID for what is no request: before anything is changed for who sent it. */
  async check(csr: string): Promise<void> {
    await readRequest(csr)
  }

  /** A leaf for the key of the request. What the request says of names is ignored: they come from us. */
  async issue(csr: string, names: { readonly gatewayId: GatewayId; readonly nodeId: NodeId }): Promise<Issued> {
    const x509 = await load()
    const { certificate, key } = await this.#authority()
    const publicKey = await readRequest(csr)
    const now = this.#parts.clock.now()
    const leaf = await x509.X509CertificateGenerator.create({
      serialNumber: this.#serial(),
      subject: `CN=${names.nodeId}`,
      issuer: certificate.subject,
      notBefore: new Date(now - BACKDATE_MS),
      notAfter: new Date(now + LIMITS.certificateMs),
      publicKey,
      signingKey: key,
      signingAlgorithm: SIGNING,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth, x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([
          { type: 'url', value: `postern://${names.gatewayId}/${names.nodeId}` },
          { type: 'dns', value: `${names.nodeId}.postern` },
        ]),
        await x509.AuthorityKeyIdentifierExtension.create(certificate.publicKey),
        await x509.SubjectKeyIdentifierExtension.create(publicKey),
      ],
    })
    return { certificate: leaf.toString('pem'), authority: certificate.toString('pem') }
  }

  /** For a door of the service itself: a new key, and a leaf for the names and addresses by which clients know it. */
  async issueServer(names: readonly string[], lifeMs: number): Promise<Issued & { readonly key: string }> {
    const x509 = await load()
    const { certificate, key } = await this.#authority()
    const keys = await crypto.subtle.generateKey(EC, true, ['sign', 'verify'])
    const now = this.#parts.clock.now()
    const alternative = [...new Set(names)].map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value }))
    const leaf = await x509.X509CertificateGenerator.create({
      serialNumber: this.#serial(),
      subject: 'CN=Postern',
      issuer: certificate.subject,
      notBefore: new Date(now - BACKDATE_MS),
      notAfter: new Date(now + lifeMs),
      publicKey: keys.publicKey,
      signingKey: key,
      signingAlgorithm: SIGNING,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(alternative),
        await x509.AuthorityKeyIdentifierExtension.create(certificate.publicKey),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    })
    return { certificate: leaf.toString('pem'), authority: certificate.toString('pem'), key: await privatePem(keys.privateKey) }
  }

  #authority(): Promise<Ready> {
    this.#ready ??= this.#open().catch((cause) => {
      this.#ready = undefined
      throw cause
    })
    return this.#ready
  }

  async #open(): Promise<Ready> {
    const x509 = await load()
    const { db } = this.#parts
    const read = () => db.selectFrom('authority').select(['certificate', 'private_key']).executeTakeFirst()
    let row = await read()
    if (!row) {
      // Of several replicas that make one at once the first wins; all then read the same.
      await db
        .insertInto('authority')
        .values(await this.#make())
        .onConflict((conflict) => conflict.column('one').doNothing())
        .execute()
      row = await read()
    }
    if (!row) throw new Fault('INTERNAL', { at: 'The certificate authority is missing.' })
    const pkcs8 = Buffer.from(row.private_key.replace(/-----[^-]+-----|\s/g, ''), 'base64')
    return {
      certificate: new x509.X509Certificate(row.certificate),
      key: await crypto.subtle.importKey('pkcs8', pkcs8, EC, false, ['sign']),
    }
  }

  async #make(): Promise<{ readonly certificate: string; readonly private_key: string }> {
    const x509 = await load()
    const keys = await crypto.subtle.generateKey(EC, true, ['sign', 'verify'])
    const now = this.#parts.clock.now()
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: this.#serial(),
      name: `CN=Postern authority ${this.#serial().slice(0, 8)}`,
      notBefore: new Date(now - BACKDATE_MS),
      notAfter: new Date(now + AUTHORITY_MS),
      keys,
      signingAlgorithm: SIGNING,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    })
    return { certificate: certificate.toString('pem'), private_key: await privatePem(keys.privateKey) }
  }

  /** Positive and of fixed length, as RFC 5280 wants it. */
  #serial(): string {
    const bytes = Buffer.from(this.#parts.random.bytes(16))
    bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
    return bytes.toString('hex')
  }
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', key)).toString('base64')
  const lines = pkcs8.match(/.{1,64}/g) ?? []
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`
}

/** Loaded when first needed: an idle service is 20 MB lighter without. */
async function load() {
  await import('reflect-metadata')
  return await import('@peculiar/x509')
}

async function readRequest(csr: string) {
  const x509 = await load()
  try {
    const request = new x509.Pkcs10CertificateRequest(csr)
    const algorithm = request.publicKey.algorithm as { readonly name: string; readonly namedCurve?: string }
    if (algorithm.namedCurve !== EC.namedCurve || !(await request.verify())) throw new Error('not a P-256 key that signed it')
    return request.publicKey
  } catch (cause) {
    throw new Fault('INPUT_INVALID', { at: 'csr: must be a certificate request (PKCS#10, PEM) with a P-256 key.', cause })
  }
}
