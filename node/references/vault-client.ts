import type { Clock } from '@postern/base/clock.ts'
import { Secret } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { z } from 'zod'
import type { Environment } from '../calls/proxy.ts'
import { callVault, type VaultAnswer } from './vault-call.ts'
import { givenToken, placeOf, TOKEN_REMEDY, type VaultSettings, vaultSettings } from './vault-settings.ts'

interface VaultClientParts {
  readonly environment: Environment
  readonly clock: Clock
  /** Why a token that the node was given could not be kept alive. */
  readonly whyOver?: (() => string | undefined) | undefined
}

/** A token is not used to the last second of its life. */
const SPARE = 0.8

const Login = z.object({ auth: z.object({ client_token: z.string().min(1), lease_duration: z.number() }) })
const Read = z.object({ data: z.object({ data: z.record(z.string(), z.unknown()) }) })

/** Reads secrets of HashiCorp Vault's key/value engine, version 2, over its HTTP API; signs in by token or AppRole. */
export class VaultClient {
  readonly #parts: VaultClientParts
  #token: { readonly token: Secret; readonly until: number } | undefined

  constructor(parts: VaultClientParts) {
    this.#parts = parts
  }

  /** The fields of the newest version. `path` is that of the API: MOUNT/data/NAME. */
  async read(path: string, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
    const settings = await vaultSettings(this.#parts.environment)
    let answer = await this.#get(settings, path, signal)
    // A token of a role may have been revoked before its time; then a new one is asked for, once.
    if (answer.status === 403 && settings.login.by === 'approle' && this.#token) {
      this.#token = undefined
      answer = await this.#get(settings, path, signal)
    }
    if (answer.status === 403) throw await this.#denied(answer, settings, path, signal)
    if (answer.status !== 200) throw refusal(answer, settings, path)
    const read = Read.safeParse(answer.body)
    if (!read.success) throw new Fault('REFERENCE_INVALID', { at: `(vault:${path} is no secret of a key/value engine, version 2)` })
    return read.data.data.data
  }

  async #get(settings: VaultSettings, path: string, signal: AbortSignal): Promise<VaultAnswer> {
    const token = await this.#signIn(settings, signal)
    return callVault(settings, { method: 'GET', path, token }, signal)
  }

  /** Vault says the same of a token whose time is over as of one that may not: the token is asked about itself, which every other one may. */
  async #denied(answer: VaultAnswer, settings: VaultSettings, path: string, signal: AbortSignal): Promise<Fault> {
    const { login, address } = settings
    if (login.by === 'approle') return refusal(answer, settings, path)
    const self = await this.#get(settings, 'auth/token/lookup-self', signal)
    if (self.status !== 403) return refusal(answer, settings, path)
    const why = this.#parts.whyOver?.()
    const known = why === undefined ? '' : `; it could not be kept alive: ${why}`
    return new Fault('VAULT_DENIED', {
      at: `(vault:${path}: the token of ${placeOf(login)} has expired or was revoked, or lacks even the policy "default", says ${address.origin}${known})`,
      remedy: TOKEN_REMEDY,
    })
  }

  async #signIn(settings: VaultSettings, signal: AbortSignal): Promise<Secret> {
    const { login } = settings
    if (login.by !== 'approle') return givenToken(login)
    const { clock } = this.#parts
    if (this.#token && clock.monotonic() < this.#token.until) return this.#token.token
    const path = `auth/${login.mount}/login`
    const body = { role_id: login.roleId, secret_id: await login.secretId() }
    const answer = await callVault(settings, { method: 'POST', path, body }, signal)
    // Vault answers a wrong secret id with 400.
    if (answer.status === 400)
      throw new Fault('VAULT_DENIED', { at: `(the AppRole was refused at ${settings.address.origin}: its secret id is wrong or used up)` })
    if (answer.status !== 200) throw refusal(answer, settings, path)
    const { auth } = Login.parse(answer.body)
    const token = new Secret(auth.client_token)
    // A lease of 0 does not end.
    const lifeMs = auth.lease_duration > 0 ? auth.lease_duration * 1_000 * SPARE : Number.POSITIVE_INFINITY
    this.#token = { token, until: clock.monotonic() + lifeMs }
    return token
  }
}

function refusal({ status, body }: VaultAnswer, { address }: VaultSettings, path: string): Fault {
  const at = `(vault:${path} at ${address.origin}: HTTP ${status})`
  if (status === 403) return new Fault('VAULT_DENIED', { at })
  if (status === 404)
    return new Fault('REFERENCE_MISSING', { at: `(vault:${path} at ${address.origin}${isDeleted(body) ? ': it was deleted' : ''})` })
  if (status === 503) return new Fault('REFERENCE_UNREACHABLE', { at: `(Vault at ${address.origin} is sealed or in maintenance)` })
  return new Fault('REFERENCE_UNREACHABLE', { at })
}

/** A version that was deleted is a 404 with its dates. */
function isDeleted(body: unknown): boolean {
  return z.object({ data: z.object({ metadata: z.object({ deletion_time: z.string().min(1) }) }) }).safeParse(body).success
}
