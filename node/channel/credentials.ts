import { X509Certificate } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'
import type { NodeFile } from '../state/node-file.ts'

/** What both ends of the channel prove themselves with, and whom they trust: only the service's own CA. */
export function channelCredentials(channel: NodeFile['channel']): SecureContextOptions {
  return { key: channel.privateKey, cert: channel.certificate, ca: channel.authority, minVersion: 'TLSv1.3' }
}

export function certificateLife(pem: string): { readonly from: number; readonly until: number } {
  const certificate = new X509Certificate(pem)
  return { from: certificate.validFromDate.getTime(), until: certificate.validToDate.getTime() }
}
