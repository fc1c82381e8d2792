import { createHash, hash, timingSafeEqual } from 'node:crypto'
import type { Random } from '@postern/base/random.ts'
import { compareCode, type OidcHandover } from '@postern/protocol/api/oidc.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { Kysely } from 'kysely'
import type { Tables } from '../db/tables.ts'
import { checkWait } from '../http/check-wait.ts'
import { PersonRepository, type PersonRow } from '../people/person-repository.ts'
import type { AddressRate } from './address-rate.ts'
import { visitorOf } from './oidc-claims.ts'
import type { FlowProofs, OidcClient } from './oidc-client.ts'
import type { OidcPeople } from './oidc-people.ts'
import { type Loopback, OidcRepository, type ProviderRow } from './oidc-repository.ts'
import type { NewlySignedIn, Place, SignInService } from './sign-in-service.ts'

/** Where a browser goes that was not on its way anywhere. */
const HOME = '/'
const SECRET_BYTES = 32

export interface OidcServiceParts {
  readonly db: Kysely<Tables>
  readonly client: OidcClient
  readonly people: OidcPeople
  readonly signIns: SignInService
  readonly rate: AddressRate
  readonly publicUrl: () => string
  readonly random: Random
}

export interface Begun {
  /** The provider's page. */
  readonly location: string
  /** Kept by the browser: the only place where what proves this sign-in can be made from. */
  readonly secret: string
}

export interface Came {
  readonly provider: string
  /** What stands behind the "?" of the way back, as it came. */
  readonly search: string
  readonly secret: string | undefined
  readonly place: Place
}

export type Finished =
  | { readonly to: 'browser'; readonly signedIn: NewlySignedIn; readonly back: string }
  | { readonly to: 'command line'; readonly name: string; readonly link: string; readonly compare: string }

/** A sign-in through an OpenID Connect provider, from its first page to the last. */
export class OidcService {
  readonly #parts: OidcServiceParts
  readonly #repository: OidcRepository

  constructor(parts: OidcServiceParts) {
    this.#parts = parts
    this.#repository = new OidcRepository(parts.db)
  }

  redirectUri(provider: string): string {
    return `${this.#parts.publicUrl().replace(/\/+$/, '')}/v1/oidc/${encodeURIComponent(provider)}/callback`
  }

  async begin(name: string, back: string | undefined, loopback: Loopback | undefined, address: string): Promise<Begun> {
    const { client, rate, random } = this.#parts
    checkWait(rate.take(address))
    const provider = await this.#provider(name)
    const secret = secretOf(random)
    const proofs = proofsOf(secret, secretOf(random))
    const location = await client.authorizationUrl(provider, this.redirectUri(name), proofs)
    const { state } = proofs
    await this.#repository.addFlow({
      stateHash: hashOf(state),
      browserHash: hashOf(secret),
      provider: name,
      back: this.#ownPath(back),
      loopback,
    })
    return { location: location.href, secret }
  }

  /** Fails with OIDC_REFUSED, OIDC_NOT_ADMITTED or OIDC_PROVIDER_UNREACHABLE. */
  async finish({ provider: name, search, secret, place }: Came): Promise<Finished> {
    const { client, people, signIns, random } = this.#parts
    const state = new URLSearchParams(search).get('state')
    if (state === null || secret === undefined)
      throw new Fault('OIDC_REFUSED', { at: 'It was not begun in this browser, or too long ago.' })
    const provider = await this.#provider(name)
    const flow = await this.#repository.takeFlow(hashOf(state), hashOf(secret), name)
    if (!flow) throw new Fault('OIDC_REFUSED', { at: 'It was not begun in this browser, or too long ago.' })
    const claims = await client.claims(provider, new URL(`${this.redirectUri(name)}${search}`), proofsOf(secret, state))
    const person = await people.admit(provider, visitorOf(claims, provider), place.address)
    const { loopback } = flow
    if (!loopback) return { to: 'browser', signedIn: await signIns.begin(person, name, place), back: flow.back }
    const code = secretOf(random)
    await this.#repository.addHandover(hashOf(code), person.id, name, loopback.challenge)
    const link = `http://127.0.0.1:${loopback.port}/?${new URLSearchParams({ code, state: loopback.state })}`
    return { to: 'command line', name: person.name, link, compare: compareCode(loopback.challenge) }
  }

  /** The command line with what the browser brought it. */
  async redeem({ code, verifier }: OidcHandover, place: Place): Promise<NewlySignedIn> {
    const { signIns, rate } = this.#parts
    checkWait(rate.take(place.address))
    const found = await this.#repository.takeHandover(hashOf(code))
    if (!found || !same(found.challenge, createHash('sha256').update(verifier).digest('base64url'))) throw new Fault('OIDC_REFUSED')
    const person = await this.#stillThere(found.personId)
    return await signIns.begin(person, found.provider, place)
  }

  async #stillThere(id: PersonRow['id']): Promise<PersonRow> {
    const person = await new PersonRepository(this.#parts.db).get(id)
    if (!person || person.disabled) throw new Fault('OIDC_NOT_ADMITTED')
    return person
  }

  async #provider(name: string): Promise<ProviderRow> {
    const provider = await this.#repository.find(name)
    if (!provider) throw new Fault('OIDC_PROVIDER_UNKNOWN', { at: name })
    return provider
  }

  /** A way back that leads to another site is none. */
  #ownPath(back: string | undefined): string {
    const own = this.#parts.publicUrl()
    if (back === undefined || !back.startsWith('/') || !URL.canParse(back, own)) return HOME
    const url = new URL(back, own)
    // "/.//other.example" is a path here, and what is left of it another site for a browser.
    return url.origin === new URL(own).origin && !url.pathname.startsWith('//') ? url.pathname + url.search + url.hash : HOME
  }
}

/** Nonce and verifier come from what the browser keeps: a copy of the database holds nothing that a stolen code can be redeemed with. */
function proofsOf(secret: string, state: string): FlowProofs {
  const derive = (what: string) => createHash('sha256').update(`${what}\n${secret}\n${state}`).digest('base64url')
  return { state, nonce: derive('nonce'), verifier: derive('verifier') }
}

const secretOf = (random: Random) => Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url')
const hashOf = (secret: string): string => hash('sha256', secret)
const same = (one: string, other: string) => one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
