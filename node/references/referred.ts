import { createHash } from 'node:crypto'
import type { Clock } from '@postern/base/clock.ts'
import type { Secret } from '@postern/base/log.ts'
import { referredSetting } from '@postern/protocol/reference.ts'

type Secrets = Readonly<Record<string, Secret>>

/** A store that refuses sign-ins all the time must not have Vault asked all the time. */
const PAUSE_MS = 1_000

export const hasReferences = (secrets: Secrets): boolean => Object.keys(secrets).some((name) => referredSetting(name) !== undefined)

/** What one open store refers to: when it was last read, and whether it is still the same. The secrets themselves are not kept here. */
export class Referred {
  readonly #read: () => Promise<Secrets>
  readonly #clock: Pick<Clock, 'monotonic'>
  #digest = ''
  #lookedAt = 0
  #pauseUntil = 0
  #looking: Promise<boolean> | undefined

  constructor(read: () => Promise<Secrets>, clock: Pick<Clock, 'monotonic'>) {
    this.#read = read
    this.#clock = clock
  }

  async first(): Promise<Secrets> {
    const secrets = await this.#read()
    this.#digest = digestOf(secrets)
    this.#lookedAt = this.#clock.monotonic()
    return secrets
  }

  isOlderThan(ms: number): boolean {
    return this.#looking === undefined && this.#clock.monotonic() - this.#lookedAt > ms
  }

  /** Reads it again; of several callers at once all wait for one reading. False right after one that found it the same. */
  changed(): Promise<boolean> {
    if (!this.#looking && this.#clock.monotonic() < this.#pauseUntil) return Promise.resolve(false)
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #look(): Promise<boolean> {
    const now = this.#clock.monotonic()
    // Before it is read: one that fails is not tried again at once either.
    this.#lookedAt = now
    this.#pauseUntil = now + PAUSE_MS
    return digestOf(await this.#read()) !== this.#digest
  }
}

function digestOf(secrets: Secrets): string {
  const hash = createHash('sha256')
  for (const name of Object.keys(secrets).sort()) hash.update(JSON.stringify([name, secrets[name]?.reveal()]))
  return hash.digest('base64')
}
