import type { Random } from '@postern/base/random.ts'
import type { PersonChange, PersonCreate } from '@postern/protocol/api/people.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { newId, type PersonId } from '@postern/protocol/ids.ts'
import type { Kysely } from 'kysely'
import type { z } from 'zod'
import type { AuditLog } from '../audit/audit-log.ts'
import type { Db } from '../db/database.ts'
import { violates } from '../db/errors.ts'
import type { Tables } from '../db/tables.ts'
import type { By } from './actor.ts'
import type { PasswordHasher } from './password-hash.ts'
import { passwordRefusal } from './password-rules.ts'
import { PersonRepository, type PersonRow } from './person-repository.ts'
import { checkMayGive } from './person-roles.ts'
import { SignInRepository } from './sign-in-repository.ts'
import { TokenRepository } from './token-repository.ts'

export interface PersonServiceParts {
  readonly db: Kysely<Tables>
  readonly hasher: PasswordHasher
  readonly audit: AuditLog
  readonly random: Random
  /** Their sign-ins have ended: this replica forgets them at once. */
  readonly ended: (person: PersonId) => void
  /** What was given to somebody who is deleted. */
  readonly forget: (person: PersonId, db: Db) => Promise<void>
}

export interface WithOncePassword {
  readonly row: PersonRow
  readonly oncePassword: string | undefined
}

/** Accounts: made, changed, given a new password, taken away. */
export class PersonService {
  readonly #parts: PersonServiceParts
  readonly #people: PersonRepository

  constructor(parts: PersonServiceParts) {
    this.#parts = parts
    this.#people = new PersonRepository(parts.db)
  }

  async get(name: string): Promise<PersonRow> {
    const row = await this.#people.find(name)
    if (!row) throw new Fault('PERSON_UNKNOWN', { at: name })
    return row
  }

  page(after: string, count: number): Promise<PersonRow[]> {
    return this.#people.page(after, count)
  }

  async create(body: z.output<typeof PersonCreate>, { caller, actor }: By): Promise<WithOncePassword> {
    const { db, hasher, audit, random } = this.#parts
    const { name, displayName, email, role, password } = body
    checkMayGive(caller, role)
    if (password !== undefined) checkPassword(password, body)
    const oncePassword = password === undefined ? this.#oncePassword() : undefined
    const hash = await hasher.hash(password ?? oncePassword ?? '')
    const row = await db.transaction().execute(async (transaction) => {
      const made = await this.#add(transaction, {
        id: newId<PersonId>('per', (count) => random.bytes(count)),
        name,
        displayName,
        email: email || null,
        role,
        createdBy: actor.who,
        password: { hash, once: oncePassword !== undefined },
      })
      await audit.record({ ...actor, action: 'person.create', target: `person ${name}`, details: { role } }, transaction)
      return made
    })
    return { row, oncePassword }
  }

  async change(name: string, body: z.output<typeof PersonChange>, by: By): Promise<PersonRow> {
    const { db, audit, ended } = this.#parts
    const { displayName, email, role, disabled } = body
    if (role !== undefined) checkMayGive(by.caller, role)
    const row = await db.transaction().execute(async (transaction) => {
      const person = await this.#mine(transaction, name, by)
      if (role !== undefined && role !== 'administrator') await keepAdministrator(transaction, person)
      if (disabled === true) await keepAdministrator(transaction, person)
      const patch = { displayName, email: email === undefined ? undefined : email || null, role, disabled }
      const changed = await new PersonRepository(transaction).change(person.id, patch)
      if (!changed) throw new Fault('PERSON_UNKNOWN', { at: name })
      if (disabled === true) await new SignInRepository(transaction).endAll(person.id)
      const details = { ...(role === undefined ? {} : { role }), ...(disabled === undefined ? {} : { disabled }) }
      await audit.record({ ...by.actor, action: 'person.change', target: `person ${name}`, details }, transaction)
      return changed
    })
    ended(row.id)
    return row
  }

  /** A password that is good for one sign-in; what was open under the old one ends. */
  async resetPassword(name: string, by: By): Promise<WithOncePassword> {
    const { db, hasher, audit, ended } = this.#parts
    const oncePassword = this.#oncePassword()
    const hash = await hasher.hash(oncePassword)
    const row = await db.transaction().execute(async (transaction) => {
      const person = await this.#mine(transaction, name, by)
      if (person.issuer !== null) throw new Fault('PASSWORD_NONE', { at: name })
      await new PersonRepository(transaction).setPassword(person.id, hash, true)
      await new SignInRepository(transaction).endAll(person.id)
      await audit.record({ ...by.actor, action: 'person.password-reset', target: `person ${name}` }, transaction)
      return { ...person, hasPassword: true, passwordOnce: true }
    })
    ended(row.id)
    return { row, oncePassword }
  }

  async delete(name: string, by: By): Promise<void> {
    const { db, audit, ended, forget } = this.#parts
    const id = await db.transaction().execute(async (transaction) => {
      const person = await this.#mine(transaction, name, by)
      await keepAdministrator(transaction, person)
      await new PersonRepository(transaction).delete(person.id)
      await forget(person.id, transaction)
      await audit.record({ ...by.actor, action: 'person.delete', target: `person ${name}`, details: { id: person.id } }, transaction)
      return person.id
    })
    ended(id)
  }

  /** Somebody's sign-ins, all of them. */
  async endSignIns(name: string, by: By): Promise<number> {
    const { db, audit, ended } = this.#parts
    const { id, count } = await db.transaction().execute(async (transaction) => {
      const person = await this.#mine(transaction, name, by)
      const gone = await new SignInRepository(transaction).endAll(person.id)
      await audit.record({ ...by.actor, action: 'person.sign-out', target: `person ${name}`, details: { signIns: gone } }, transaction)
      return { id: person.id, count: gone }
    })
    ended(id)
    return count
  }

  /** One that the caller may act on. */
  async #mine(transaction: Db, name: string, { caller }: By): Promise<PersonRow> {
    const person = await new PersonRepository(transaction).find(name)
    if (!person) throw new Fault('PERSON_UNKNOWN', { at: name })
    checkMayGive(caller, person.role)
    return person
  }

  async #add(transaction: Db, person: Parameters<PersonRepository['add']>[0]): Promise<PersonRow> {
    try {
      return await new PersonRepository(transaction).add(person)
    } catch (cause) {
      if (violates(cause, 'person_name_unique')) throw new Fault('PERSON_EXISTS', { at: person.name, cause })
      throw cause
    }
  }

  /** 100 bits, in letters that can be read out over the telephone. */
  #oncePassword(): string {
    const letters = [...this.#parts.random.bytes(20)].map((byte) => READABLE[byte % READABLE.length])
    return [0, 5, 10, 15].map((start) => letters.slice(start, start + 5).join('')).join('-')
  }
}

/** Without l, o, 0 and 1. 32 of them, so that each is as likely as the others. */
const READABLE = 'abcdefghijkmnpqrstuvwxyz23456789'

export function checkPassword(
  password: string,
  about: { readonly name: string; readonly displayName: string; readonly email?: string | null },
): void {
  const refusal = passwordRefusal(password, [about.name, about.displayName, about.email ?? '', 'postern'])
  if (refusal !== undefined) throw new Fault('PASSWORD_REFUSED', { at: `It ${refusal}` })
}

/** Somebody who administers must stay: a person with a password, or an administrator's token. */
async function keepAdministrator(transaction: Db, person: PersonRow): Promise<void> {
  if (person.role !== 'administrator') return
  const people = new PersonRepository(transaction)
  await people.lockAdministrators()
  if ((await people.anyAdministrator(person.id)) || (await new TokenRepository(transaction).anyAdministrator())) return
  throw new Fault('ADMINISTRATOR_LAST', { at: person.name })
}
