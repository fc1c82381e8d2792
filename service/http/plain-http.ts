import { isIP } from 'node:net'
import { Fault } from '@postern/protocol/fault.ts'

export interface Listening {
  readonly host: string
  readonly tls: boolean
  /** Said by who starts the service: something in front of it speaks TLS, or the network is trusted. */
  readonly allowPlainHttp: boolean
}

/** Tokens and passwords do not cross a network in clear unless somebody has said that they may. */
export function checkPlainHttp({ host, tls, allowPlainHttp }: Listening): void {
  if (tls || allowPlainHttp || isLoopback(host)) return
  throw new Fault('CONFIG_INVALID', {
    at: `--host ${host} without TLS: tokens and results would cross the network in clear.`,
    remedy: 'Give --tls-cert and --tls-key; or, where something in front of it speaks TLS, --allow-plain-http.',
  })
}

/** A name other than localhost may lead anywhere. */
function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  if (isIP(bare) === 4) return bare.startsWith('127.')
  return bare === '::1' || bare === 'localhost' || bare.endsWith('.localhost')
}
