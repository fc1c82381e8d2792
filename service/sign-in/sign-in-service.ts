import { hash } from 'node:crypto'
import type { Clock } from '@postern/base/clock.ts'
import type { Random } from '@postern/base/random.ts'
import { PersonName } from '@postern/protocol/api/people.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { newId, type PersonId, type SignInId } from '@postern/protocol/ids.ts'
import type { Kysely } from 'kysely'
import type { AuditLog } from '../audit/audit-log.ts'
import type { Tables } from '../db/tables.ts'
import { checkWait } from '../http/check-wait.ts'
import { PersonRepository, type PersonRow } from '../people/person-repository.ts'
import { checkPassword } from '../people/person-service.ts'
import type { Caller } from '../rights/caller.ts'
import type { FoundCaller } from '../rights/known-callers.ts'
import { KnownCallers } from '../rights/known-callers.ts'
import type { Role } from '../rights/permissions.ts'
import type { PasswordHasher } from './password-hash.ts'
import { SignInRepository, type SignInRow } from './sign-in-repository.ts'
import type { SignInThrottle } from './sign-in-throttle.ts'

export const SIGN_IN_PREFIX = 'pts_'
const SECRET_BYTES = 32

export interface SignInServiceParts {
  readonly db: Kysely<Tables>
  readonly hasher: PasswordHasher
  readonly throttle: SignInThrottle
  readonly audit: AuditLog
  /** What a person may do. */
  readonly callerFor: (person: PersonFound) => Promise<Caller>
  readonly clock: Clock
  readonly random: Random
}

interface PersonFound {
  readonly kind: 'person'
  readonly id: PersonId
  readonly name: string
  readonly role: Role
}

/** From where somebody signs in. */
export interface Place {
  readonly address: string
  /** What the browser or program calls itself. */
  readonly agent: string
}

export interface Tried {
  readonly name: string
  readonly password: string
  readonly newPassword: string | undefined
}

interface Renewed {
  readonly password: string
  readonly newPassword: string
  /** The hash that the old one was compared with. */
  readonly stored: string | undefined
}

export interface NewlySignedIn {
  readonly person: PersonRow
  /** The only place where it ever stands. */
  readonly token: string
  readonly expiresAt: Date
}

/** Who is signed in: by a password here, by others (OpenID Connect) through `begin`. */
export class SignInService {
  readonly #parts: SignInServiceParts
  readonly #people: PersonRepository
  readonly #signIns: SignInRepository
  readonly #known: KnownCallers
  /** By which sign-in a caller came. */
  readonly #cameBy = new WeakMap<Caller, SignInId>()

  constructor(parts: SignInServiceParts) {
    this.#parts = parts
    this.#people = new PersonRepository(parts.db)
    this.#signIns = new SignInRepository(parts.db)
    this.#known = new KnownCallers({ find: (hashed) => this.#find(hashed), invalid: 'TOKEN_INVALID', clock: parts.clock })
  }

  /** Looked up by its hash: how far two tokens agree cannot be measured. */
  byToken(token: string): Caller | Promise<Caller> {
    return this.#known.get(hashOf(token))
  }

  /** The person and the sign-in; undefined for a token. */
  signedIn(caller: Caller): { readonly id: PersonId; readonly name: string; readonly signIn: SignInId } | undefined {
    const signIn = this.#cameBy.get(caller)
    return signIn === undefined ? undefined : { id: caller.id as PersonId, name: caller.name, signIn }
  }

  /** Takes as long for a name that there is not, and says the same: SIGN_IN_REFUSED. */
  async withPassword(tried: Tried, place: Place): Promise<NewlySignedIn> {
    const { throttle, audit } = this.#parts
    const name = tried.name.trim().toLowerCase()
    checkWait(throttle.begin(name, place.address))
    const { person, stored, right, outdated } = await this.#compare(name, tried.password).catch((cause) => {
      throttle.undo(name, place.address)
      throw cause
    })
    if (!person || !right || person.disabled) {
      // A name that there is not may be a password, typed into the wrong field: it is not written down.
      const target = person ? `person ${person.name}` : 'person unknown'
      const details = { why: !person ? 'unknown name' : !right ? 'wrong password' : 'disabled' }
      await audit.record({ who: 'nobody', action: 'sign-in.refused', target, ip: place.address, outcome: 'refused', details })
      throw new Fault('SIGN_IN_REFUSED')
    }
    throttle.right(name, place.address)
    const { password, newPassword } = tried
    if (newPassword !== undefined)
      return await this.begin(person, 'password', place, await this.#newPassword(person, { password, newPassword, stored }, place))
    if (person.passwordOnce) throw new Fault('PASSWORD_CHANGE_NEEDED')
    return await this.begin(
      person,
      'password',
      place,
      outdated && stored !== undefined ? await this.#dearer(person, stored, password) : stored,
    )
  }

  /** Somebody who has proven who he is; `hash`: by the password that this is of. */
  async begin(person: PersonRow, way: string, place: Place, hash?: string): Promise<NewlySignedIn> {
    const { db, audit, random } = this.#parts
    const token = SIGN_IN_PREFIX + Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url')
    const id = newId<SignInId>('sgn', (count) => random.bytes(count))
    const agent = place.agent.slice(0, 200)
    // Not in the transaction: with the rows of others locked it would wait for the person, and who changes him for those rows.
    await this.#signIns.sweep()
    const expiresAt = await db.transaction().execute(async (transaction) => {
      // First: what is taken from him while he comes is taken.
      if (!(await new PersonRepository(transaction).signedIn(person.id, hash))) return undefined
      const signIns = new SignInRepository(transaction)
      const until = await signIns.add({ id, personId: person.id, hash: hashOf(token), way, address: place.address, agent })
      await audit.record(
        { who: person.name, whoId: person.id, action: 'sign-in', target: `person ${person.name}`, ip: place.address, details: { id, way } },
        transaction,
      )
      return until
    })
    if (!expiresAt) {
      const entry = {
        who: 'nobody',
        action: 'sign-in.refused',
        target: `person ${person.name}`,
        ip: place.address,
        outcome: 'refused',
      } as const
      await audit.record({ ...entry, details: { why: 'disabled, or another password, meanwhile' } })
      throw new Fault(hash === undefined ? 'OIDC_NOT_ADMITTED' : 'SIGN_IN_REFUSED')
    }
    return { person, token, expiresAt }
  }

  list(person: PersonId): Promise<SignInRow[]> {
    return this.#signIns.of(person)
  }

  async end(person: { readonly id: PersonId; readonly name: string }, id: SignInId, address: string): Promise<void> {
    const { db, audit } = this.#parts
    await db.transaction().execute(async (transaction) => {
      if (!(await new SignInRepository(transaction).end(person.id, id))) throw new Fault('SIGN_IN_UNKNOWN', { at: id })
      await audit.record(
        { who: person.name, whoId: person.id, action: 'sign-out', target: `person ${person.name}`, ip: address, details: { id } },
        transaction,
      )
    })
    this.#known.forget((caller) => this.#cameBy.get(caller) === id)
  }

  /** All of one's own, but perhaps the one that asks. */
  async endAll(person: { readonly id: PersonId; readonly name: string }, but: SignInId | undefined, address: string): Promise<number> {
    const { db, audit } = this.#parts
    const count = await db.transaction().execute(async (transaction) => {
      const gone = await new SignInRepository(transaction).endAll(person.id, but)
      await audit.record(
        {
          who: person.name,
          whoId: person.id,
          action: 'sign-out',
          target: `person ${person.name}`,
          ip: address,
          details: { signIns: gone },
        },
        transaction,
      )
      return gone
    })
    this.forgetPerson(person.id)
    return count
  }

  /** One's own, with the old one as proof; guessing it by a stolen sign-in is throttled like signing in. */
  async changePassword(id: PersonId, tried: { readonly password: string; readonly newPassword: string }, current: SignInId, place: Place) {
    const { throttle, audit } = this.#parts
    const person = await this.#people.get(id)
    if (!person) throw new Fault('PERSON_UNKNOWN')
    if (!person.hasPassword) throw new Fault('PASSWORD_NONE', { at: person.name })
    checkWait(throttle.begin(person.name, place.address))
    const { right, stored } = await this.#compare(person.name, tried.password).catch((cause) => {
      throttle.undo(person.name, place.address)
      throw cause
    })
    if (!right) {
      const target = `person ${person.name}`
      await audit.record({ who: person.name, whoId: id, action: 'person.password', target, ip: place.address, outcome: 'refused' })
      throw new Fault('SIGN_IN_REFUSED', { at: 'The old password is not right.' })
    }
    throttle.right(person.name, place.address)
    await this.#newPassword(person, { ...tried, stored }, place, current)
  }

  /** What this replica knows of somebody is asked anew. */
  forgetPerson(id: PersonId): void {
    this.#known.forget((caller) => caller.id === id)
  }

  async #compare(name: string, password: string) {
    const person = PersonName.safeParse(name).success ? await this.#people.find(name) : undefined
    const stored = person ? await this.#people.passwordOf(person.id) : undefined
    return { person, stored, ...(await this.#parts.hasher.check(password, stored)) }
  }

  /** The same password at the cost of today. */
  async #dearer(person: PersonRow, stored: string, password: string): Promise<string> {
    const hashed = await this.#parts.hasher.hash(password)
    return (await this.#people.replaceHash(person.id, stored, hashed)) ? hashed : stored
  }

  /** What is open under the old one ends. Gives the hash of the new one. Only where the old one still holds: it may have been taken away meanwhile. */
  async #newPassword(person: PersonRow, { password, newPassword, stored = '' }: Renewed, place: Place, but?: SignInId): Promise<string> {
    const { db, hasher, audit } = this.#parts
    if (newPassword === password) throw new Fault('PASSWORD_REFUSED', { at: 'It is the old one.' })
    checkPassword(newPassword, person)
    const hashed = await hasher.hash(newPassword)
    const { id, name } = person
    await db.transaction().execute(async (transaction) => {
      if (!(await new PersonRepository(transaction).replaceHash(id, stored, hashed))) throw new Fault('SIGN_IN_REFUSED')
      const ended = await new SignInRepository(transaction).endAll(id, but)
      const details = { signIns: ended }
      await audit.record(
        { who: name, whoId: id, action: 'person.password', target: `person ${name}`, ip: place.address, details },
        transaction,
      )
    })
    this.forgetPerson(id)
    return hashed
  }

  async #find(hashed: string): Promise<FoundCaller | undefined> {
    const found = await this.#signIns.findValid(hashed)
    if (!found) return undefined
    if (found.stale) await this.#signIns.used(found.id)
    const caller = await this.#parts.callerFor({ kind: 'person', id: found.personId, name: found.name, role: found.role })
    this.#cameBy.set(caller, found.id)
    return { caller, expiresAt: found.expiresAt.getTime() }
  }
}

const hashOf = (token: string): string => hash('sha256', token)
