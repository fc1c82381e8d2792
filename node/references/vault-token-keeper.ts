import { BackOff } from '@postern/base/back-off.ts'
import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log, Secret } from '@postern/base/log.ts'
import type { Random } from '@postern/base/random.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { Environment } from '../calls/proxy.ts'
import { callVault } from './vault-call.ts'
import { type GivenToken, givenToken, placeOf, TOKEN_REMEDY, type VaultSettings, vaultSettings } from './vault-settings.ts'
import { isLate, pauseBeforeRenewal, type TokenLife, TokenRenewed, TokenSelf, tokenLife, wasExtended } from './vault-token-life.ts'

interface VaultTokenKeeperParts {
  readonly environment: Environment
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** So often a file is looked at for another token, and a token that is over is asked about again. */
const LOOK_MS = 60_000
/** As long before as of a certificate it is said that it ends. */
const SOON_MS = 30 * 86_400_000
const BACK_OFF = { firstMs: 2_000, maxMs: LOOK_MS } as const

interface Known {
  readonly token: Secret
  /** When to ask Vault again; both clocks, for a machine that sleeps. */
  readonly due: { readonly monotonic: number; readonly wall: number }
}

/**
 * Renews the token for Vault that the node was given (VAULT_TOKEN, VAULT_TOKEN_FILE) at about half of its life, and says
 * in time when that is not possible any more. A token in a file is left to end in silence while it lives: the agent that put it
 * there puts another. An AppRole needs none of this, it signs in anew.
 */
export class VaultTokenKeeper implements Component {
  readonly name = 'vault-token'
  readonly #parts: VaultTokenKeeperParts
  readonly #stopping = new AbortController()
  readonly #backOff: BackOff
  #loop: Promise<void> | undefined
  #known: Known | undefined
  #fault: string | undefined
  #told: string | undefined
  #reason: string | undefined

  constructor(parts: VaultTokenKeeperParts) {
    this.#parts = parts
    this.#backOff = new BackOff(BACK_OFF, parts.random)
  }

  /** In words, for the node's status; undefined while all is well. */
  get fault(): string | undefined {
    return this.#fault
  }

  /** Why it could not be renewed any more, for who needs the token once it is over. */
  get reason(): string | undefined {
    return this.#reason
  }

  async start(): Promise<void> {
    const { VAULT_ADDR, VAULT_TOKEN, VAULT_TOKEN_FILE, VAULT_ROLE_ID } = this.#parts.environment
    if (VAULT_ADDR && (VAULT_TOKEN || VAULT_TOKEN_FILE) && !VAULT_ROLE_ID) this.#loop ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#parts
    const { signal } = this.#stopping
    while (!signal.aborted) {
      let pauseMs: number
      try {
        pauseMs = await this.#look(signal)
        this.#backOff.reset()
      } catch (cause) {
        if (signal.aborted) return
        const { code, message } = Fault.from(cause)
        log.debug({ err: cause }, 'the token for Vault could not be looked at')
        this.#reason = message
        this.#say(code, `the token for Vault could not be renewed yet: ${message}`)
        pauseMs = this.#backOff.next()
      }
      await clock.sleep(pauseMs, signal).catch(() => undefined)
    }
  }

  /** How long to wait before the next look. */
  async #look(signal: AbortSignal): Promise<number> {
    const { environment, clock } = this.#parts
    const settings = await vaultSettings(environment)
    if (settings.login.by === 'approle') return LOOK_MS
    const token = await givenToken(settings.login)
    const known = this.#known?.token.reveal() === token.reveal() ? this.#known : undefined
    if (!known) this.#reason = undefined
    const waitMs = known ? Math.min(known.due.monotonic - clock.monotonic(), known.due.wall - clock.now()) : 0
    const pauseMs = waitMs > 0 ? waitMs : await this.#keep(settings, settings.login, { token, isNew: !known }, signal)
    if (waitMs <= 0) this.#known = { token, due: { monotonic: clock.monotonic() + pauseMs, wall: clock.now() + pauseMs } }
    return Math.min(pauseMs, LOOK_MS)
  }

  async #keep(settings: VaultSettings, login: GivenToken, { token, isNew }: { token: Secret; isNew: boolean }, signal: AbortSignal) {
    const answer = await callVault(settings, { method: 'GET', path: 'auth/token/lookup-self', token }, signal)
    if (answer.status === 403) return this.#over(login)
    const self = answer.status === 200 ? TokenSelf.safeParse(answer.body) : undefined
    if (!self?.success) throw this.#refused(settings, 'auth/token/lookup-self', answer.status)
    const life = tokenLife(self.data)
    if (life.leftMs === Number.POSITIVE_INFINITY) return this.#well(life.leftMs)
    if (!life.renewable) return this.#ending(login, life.leftMs, 'it is not renewable')
    return isNew && !isLate(life) ? this.#well(life.leftMs) : this.#renew(settings, login, { token, life }, signal)
  }

  async #renew(settings: VaultSettings, login: GivenToken, { token, life }: { token: Secret; life: TokenLife }, signal: AbortSignal) {
    const path = 'auth/token/renew-self'
    const body = life.wholeSeconds > 0 ? { increment: life.wholeSeconds } : {}
    const answer = await callVault(settings, { method: 'POST', path, token, body }, signal)
    // 403: a policy of its own without "default", or it has ended since it was looked at. 400: Vault does not renew this one.
    if (answer.status === 403 || answer.status === 400)
      return this.#ending(login, life.leftMs, this.#reason ?? `Vault does not let it renew itself (HTTP ${answer.status})`)
    const renewed = answer.status === 200 ? TokenRenewed.safeParse(answer.body) : undefined
    if (!renewed?.success) throw this.#refused(settings, path, answer.status)
    const leftMs = renewed.data.auth.lease_duration * 1_000
    this.#parts.log.debug({ seconds: leftMs / 1_000 }, 'the token for Vault is renewed')
    // A renewal that came early gave it all that it can have at a time.
    const isWhole = leftMs >= life.wholeSeconds * 1_000 && life.wholeSeconds > 0
    if (isWhole || wasExtended(life.leftMs, leftMs)) return this.#well(leftMs)
    return this.#ending(login, leftMs, 'its longest life is reached')
  }

  #well(leftMs: number): number {
    if (this.#fault !== undefined) this.#parts.log.info('the token for Vault is good, and kept alive')
    this.#fault = undefined
    this.#told = undefined
    this.#reason = undefined
    return this.#pause(leftMs)
  }

  #ending(login: GivenToken, leftMs: number, reason: string): number {
    const pauseMs = this.#pause(leftMs)
    const isNoWorry = login.by === 'token-file' || leftMs > SOON_MS
    if (isNoWorry) this.#well(leftMs)
    this.#reason = reason
    if (isNoWorry) return pauseMs
    const until = new Date(this.#parts.clock.now() + leftMs).toISOString()
    this.#say(
      reason,
      `the token of ${placeOf(login)} for Vault ends at ${until} and cannot be renewed any more: ${reason}. ${TOKEN_REMEDY}`,
    )
    return pauseMs
  }

  #over(login: GivenToken): number {
    const because = this.#reason === undefined ? '' : ` (${this.#reason})`
    const what = `has expired or was revoked, or lacks even the policy "default"${because}`
    this.#say('over', `the token of ${placeOf(login)} for Vault ${what}. ${TOKEN_REMEDY}`)
    return LOOK_MS
  }

  /** Once for each kind of thing, not with each look. */
  #say(kind: string, text: string): void {
    this.#fault = text
    if (this.#told === kind) return
    this.#told = kind
    this.#parts.log.warn({ fault: text }, 'the token for Vault is not kept alive')
  }

  #pause(leftMs: number): number {
    return pauseBeforeRenewal(leftMs, this.#parts.random.fraction())
  }

  #refused({ address }: VaultSettings, path: string, status: number): Fault {
    return new Fault('REFERENCE_UNREACHABLE', { at: `(vault:${path} at ${address.origin}: HTTP ${status})` })
  }
}
