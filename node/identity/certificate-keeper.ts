import { BackOff } from '@postern/base/back-off.ts'
import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import type { Random } from '@postern/base/random.ts'
import { SERVICE_PATHS } from '@postern/protocol/link.ts'
import { CertificateResponse } from '@postern/protocol/node-api.ts'
import type { ServiceClient } from '../calls/service-client.ts'
import { certificateLife } from '../channel/credentials.ts'
import type { DataFolder } from '../state/data-folder.ts'
import { makeChannelKey } from './csr.ts'

interface CertificateKeeperParts {
  readonly folder: Pick<DataFolder, 'joined' | 'update'>
  readonly service: Pick<ServiceClient, 'call'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** The channel's server takes the new one up. */
  readonly onRenewed: () => void
}

/** Timers hold at most 24.8 days; a look once an hour also copes with a machine that slept. */
const LOOK_MS = 3_600_000

/** When to renew: at half of the certificate's life, ± 10 % so that the nodes of a gateway do not all come at once. */
export function renewalTime(life: { readonly from: number; readonly until: number }, fraction: number): number {
  return life.from + (life.until - life.from) * (0.45 + 0.1 * fraction)
}

/** Keeps the channel's certificate young; each has a key of its own. */
export class CertificateKeeper implements Component {
  readonly name = 'certificate'
  readonly #parts: CertificateKeeperParts
  readonly #stopping = new AbortController()
  readonly #backOff: BackOff
  #loop: Promise<void> | undefined

  constructor(parts: CertificateKeeperParts) {
    this.#parts = parts
    this.#backOff = new BackOff({ firstMs: 1_000, maxMs: 300_000 }, parts.random)
  }

  async start(): Promise<void> {
    this.#loop ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
  }

  async #run(): Promise<void> {
    const { folder, clock, random, log } = this.#parts
    const { signal } = this.#stopping
    let at = renewalTime(certificateLife(folder.joined().channel.certificate), random.fraction())
    while (!signal.aborted) {
      await clock.sleep(Math.max(0, Math.min(LOOK_MS, at - clock.now())), signal).catch(() => undefined)
      if (signal.aborted || clock.now() < at) continue
      try {
        await this.#renew(signal)
        this.#backOff.reset()
        at = renewalTime(certificateLife(folder.joined().channel.certificate), random.fraction())
      } catch (cause) {
        if (signal.aborted) return
        log.warn({ err: cause }, 'the channel certificate could not be renewed yet')
        at = clock.now() + this.#backOff.next()
      }
    }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { folder, service, log, onRenewed } = this.#parts
    const { privateKey, csr } = makeChannelKey(folder.joined().name)
    const answer = await service.call({ path: SERVICE_PATHS.certificate, body: { csr }, answer: CertificateResponse }, signal)
    await folder.update({ channel: { privateKey, ...answer } })
    onRenewed()
    log.info({ until: new Date(certificateLife(answer.certificate).until).toISOString() }, 'the channel certificate is renewed')
  }
}
