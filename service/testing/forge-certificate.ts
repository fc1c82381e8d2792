/** What a thief of the service's database can do with its CA: make itself a node certificate in any name. */
import type { webcrypto } from 'node:crypto'

const EC = { name: 'ECDSA', namedCurve: 'P-256' } as const

interface Pems {
  readonly certificate: string
  readonly privateKey: string
}

export async function forgeCertificate(authority: Pems, names: { readonly gatewayId: string; readonly nodeId: string }): Promise<Pems> {
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const keys = await crypto.subtle.generateKey(EC, true, ['sign', 'verify'])
  const leaf = await x509.X509CertificateGenerator.create({
    serialNumber: '4242',
    subject: `CN=${names.nodeId}`,
    issuer: new x509.X509Certificate(authority.certificate).subject,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    publicKey: keys.publicKey,
    signingKey: await crypto.subtle.importKey('pkcs8', derOf(authority.privateKey), EC, false, ['sign']),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth, x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: `postern://${names.gatewayId}/${names.nodeId}` }]),
    ],
  })
  return { certificate: leaf.toString('pem'), privateKey: await pemOf(keys.privateKey) }
}

const derOf = (pem: string) => Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64')

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', key)).toString('base64')
  return `-----BEGIN PRIVATE KEY-----\n${(pkcs8.match(/.{1,64}/g) ?? []).join('\n')}\n-----END PRIVATE KEY-----\n`
}
