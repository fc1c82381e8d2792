import { X509Certificate } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'
import type { NodeFile } from '../state/node-file.ts'
import type { CertificateFiles } from './certificate-check.ts'

/** A call by mutual certificates asks for this name, which nobody else has; one by the user's own asks for the host, or for none. */
export const MUTUAL_NAME = 'node.postern.invalid'

/** What both ends of a mutual channel prove themselves with, and whom they trust: only the service's own CA. */
export function channelCredentials(channel: NodeFile['channel']): SecureContextOptions {
  return { key: channel.privateKey, cert: channel.certificate, ca: channel.authority, minVersion: 'TLSv1.3' }
}

/** By the user's own certificate. */
export function ownCredentials({ cert, key, ca }: CertificateFiles): SecureContextOptions {
  return { cert, key, minVersion: 'TLSv1.3', ...(ca === undefined ? {} : { ca }) }
}

export function certificateLife(pem: string): { readonly from: number; readonly until: number } {
  const certificate = new X509Certificate(pem)
  return { from: certificate.validFromDate.getTime(), until: certificate.validToDate.getTime() }
}
