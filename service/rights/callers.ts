import type { PersonId } from '@postern/protocol/ids.ts'
import { sql } from 'kysely'
import type { Db } from '../db/database.ts'
import { Caller, type Principal } from './caller.ts'
import { GrantRepository } from './grant-repository.ts'
import type { Role } from './permissions.ts'

/** The one way from who somebody is to what he may do, for people and tokens alike. */
export class Callers {
  readonly #db: Db
  readonly #grants: GrantRepository

  constructor(db: Db) {
    this.#db = db
    this.#grants = new GrantRepository(db)
  }

  /** With all that was given to it and to its groups. Asks the database: keep the answer for a second, and not for longer. */
  async callerFor(principal: Omit<Principal, 'groups' | 'owner'>): Promise<Caller> {
    return new Caller(await this.#whole(principal))
  }

  /** A person's own token: never more than the person may now. Undefined where there is no such person, or it is disabled. */
  async callerForOwn(token: Omit<Principal, 'groups' | 'owner' | 'grants'>, owner: PersonId): Promise<Caller | undefined> {
    const person = await this.#person(owner)
    if (!person) return undefined
    const whole = await this.#whole({ ...person, kind: 'person' })
    return new Caller({ ...token, name: `${person.name}/${token.name}`, owner: whole })
  }

  /** A person, as it is now. Undefined where there is none, or it is disabled. */
  async callerForPerson(id: PersonId): Promise<Caller | undefined> {
    const person = await this.#person(id)
    return person && (await this.callerFor({ ...person, kind: 'person' }))
  }

  async #whole(principal: Omit<Principal, 'groups' | 'owner'>): Promise<Principal> {
    const { groups, grants } = await this.#grants.givenTo(principal.id)
    return { ...principal, groups, grants: [...(principal.grants ?? []), ...grants] }
  }

  async #person(id: PersonId): Promise<{ readonly id: PersonId; readonly name: string; readonly role: Role } | undefined> {
    const { rows } = await sql<{ id: PersonId; name: string; role: Role }>`
      select id, name, role from person where id = ${id} and not disabled`.execute(this.#db)
    return rows[0]
  }
}
