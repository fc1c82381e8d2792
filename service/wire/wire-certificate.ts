import { hostname } from 'node:os'
import { createSecureContext, type SecureContext } from 'node:tls'
import { Background } from '@postern/base/background.ts'
import type { Clock } from '@postern/base/clock.ts'
import type { Log } from '@postern/base/log.ts'
import type { Authority } from '../nodes/authority.ts'

const LIFE_MS = 365 * 86_400_000
/** A failed renewal is tried again after so long. */
const AGAIN_MS = 3_600_000

export interface WireCertificateParts {
  /** PEM: the service's own, as given with --tls-cert. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  readonly authority: Pick<Authority, 'issueServer'>
  /** Names and addresses by which clients may know this service, beside localhost. */
  readonly names: readonly string[]
  /** Where the authority's certificate is put for those who want to verify. */
  readonly publish: (pem: string) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

/** What the wire proves itself with: the service's own certificate, or one of its authority, made anew at half of its life. */
export class WireCertificate {
  readonly #parts: WireCertificateParts
  readonly #background: Background
  #context: SecureContext | undefined
  #renewAt = Number.POSITIVE_INFINITY

  constructor(parts: WireCertificateParts) {
    this.#parts = parts
    this.#background = new Background((cause) => parts.log.warn({ err: cause }, 'the certificate of the wire was not renewed'))
  }

  async prepare(): Promise<void> {
    const { tls, authority, names, publish, clock } = this.#parts
    if (tls) {
      this.#context = createSecureContext({ ...tls, minVersion: 'TLSv1.2' })
      return
    }
    const issued = await authority.issueServer(['localhost', '127.0.0.1', '::1', hostname(), ...names], LIFE_MS)
    this.#context = createSecureContext({ cert: issued.certificate, key: issued.key, minVersion: 'TLSv1.2' })
    this.#renewAt = clock.monotonic() + LIFE_MS / 2
    await publish(issued.authority)
  }

  /** Of a prepared one. */
  get context(): SecureContext {
    const { clock } = this.#parts
    if (!this.#context) throw new Error('not prepared')
    if (clock.monotonic() > this.#renewAt) {
      this.#renewAt = clock.monotonic() + AGAIN_MS
      this.#background.run(() => this.prepare())
    }
    return this.#context
  }
}
