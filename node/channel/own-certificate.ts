import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { Rounds } from '@postern/base/rounds.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { type CheckedCertificate, checkCertificate, expiryOf } from './certificate-check.ts'

/** Where the files of the user's own certificate lie. */
export interface CertificatePaths {
  readonly cert: string
  readonly key: string
  readonly ca?: string | undefined
}

interface OwnCertificateParts {
  /** As the node was started; what lies in `folder` when left out. */
  readonly paths: CertificatePaths | undefined
  /** `channel/` of the data folder: cert.pem, key.pem, ca.pem. */
  readonly folder: string
  readonly clock: Clock
  readonly log: Log
  /** There is another one. */
  readonly onRenewed: () => void
}

/** Programs that renew certificates write files: these are looked at so often. */
const LOOK_MS = 10_000

/** The user's own certificate for the channel, taken up anew when its files change. */
export class OwnCertificate implements Component {
  readonly name = 'own-certificate'
  readonly #parts: OwnCertificateParts
  readonly #rounds: Rounds
  #current: CheckedCertificate | undefined
  #fault: string | undefined
  #stamp = ''

  constructor(parts: OwnCertificateParts) {
    this.#parts = parts
    this.#rounds = new Rounds({
      everyMs: LOOK_MS,
      clock: parts.clock,
      round: () => this.#look(),
      failed: (cause) => parts.log.warn({ err: cause }, 'the certificate was not looked at'),
    })
  }

  get current(): CheckedCertificate | undefined {
    return this.#current
  }

  /** Why there is none that can be used. */
  get fault(): string | undefined {
    return this.#fault
  }

  expiry(): ReturnType<typeof expiryOf> {
    return this.#current ? expiryOf(this.#current.leaf, this.#parts.clock.now()) : { fault: null, notice: null }
  }

  /** Files that were named and are not good fail the start: who names them is there to mend them. */
  async load(): Promise<void> {
    await this.#look()
    if (this.#parts.paths && !this.#current) throw new Fault('CHANNEL_CERTIFICATE', { at: `(${this.#fault ?? 'it cannot be read'})` })
  }

  async start(): Promise<void> {
    this.#rounds.start()
  }

  async stop(): Promise<void> {
    await this.#rounds.stop()
  }

  /** A new one that is not good, or half written, does not replace one that is. */
  async #look(): Promise<void> {
    const { clock, log, onRenewed } = this.#parts
    try {
      const paths = this.#parts.paths ?? (await pathsIn(this.#parts.folder))
      if (!paths) {
        this.#fault = `there is no certificate: start the node with --channel-cert, or put cert.pem and key.pem into ${this.#parts.folder}`
        return
      }
      const stamp = await stampOf(paths)
      if (stamp === this.#stamp) return
      const [cert, key, ca] = await Promise.all([
        readFile(paths.cert, 'utf8'),
        readFile(paths.key, 'utf8'),
        paths.ca === undefined ? undefined : readFile(paths.ca, 'utf8'),
      ])
      this.#current = checkCertificate({ cert, key, ca }, clock.now())
      this.#stamp = stamp
      this.#fault = undefined
      log.info({ until: this.#current.leaf.validToDate.toISOString() }, 'the certificate for the channel is read')
      onRenewed()
    } catch (cause) {
      const words = cause instanceof Error ? cause.message : 'it cannot be read'
      if (words !== this.#fault) log.warn({ reason: words }, 'the certificate for the channel cannot be used')
      this.#fault = words
    }
  }
}

async function pathsIn(folder: string): Promise<CertificatePaths | undefined> {
  const [cert, key, ca] = ['cert.pem', 'key.pem', 'ca.pem'].map((name) => join(folder, name))
  if (!cert || !key || !(await isThere(cert)) || !(await isThere(key))) return undefined
  return { cert, key, ca: ca && (await isThere(ca)) ? ca : undefined }
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

async function stampOf(paths: CertificatePaths): Promise<string> {
  const files = [paths.cert, paths.key, paths.ca].filter((path) => path !== undefined)
  const stats = await Promise.all(files.map((path) => stat(path)))
  return stats.map(({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`).join('\n')
}
