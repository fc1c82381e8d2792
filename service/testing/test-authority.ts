/** A certificate authority for tests, and servers that it vouches for. */
import { webcrypto } from 'node:crypto'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

export interface TestAuthority {
  /** PEM, for those who trust it. */
  readonly cert: string
  /** A server that has these names and no others. */
  issue(names: readonly x509.JsonGeneralName[]): Promise<{ readonly cert: string; readonly key: string }>
}

export async function testAuthority(name = 'Authority of a test'): Promise<TestAuthority> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const extensions = [new x509.BasicConstraintsExtension(true, undefined, true)]
  const root = await x509.X509CertificateGenerator.createSelfSigned({ name: `CN=${name}`, keys, signingAlgorithm: ALGORITHM, extensions })
  return {
    cert: root.toString('pem'),
    issue: async (names) => {
      const own = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
      const issued = await x509.X509CertificateGenerator.create({
        subject: 'CN=server of a test',
        issuer: root.subject,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [new x509.SubjectAlternativeNameExtension([...names])],
      })
      const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', own.privateKey)).toString('base64')
      return { cert: issued.toString('pem'), key: `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n` }
    },
  }
}
