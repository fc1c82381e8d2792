import { Fault } from '@postern/protocol/fault.ts'
import type { GroupId, PersonId, TokenId } from '@postern/protocol/ids.ts'
import { sql } from 'kysely'
import type { Db } from '../db/database.ts'
import type { PrincipalId } from './grant-repository.ts'

/** From `person/ann`, `group/analysts`, `token/ci` to who is meant. */
export class Principals {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  /** Fails with PERSON_UNKNOWN, GROUP_UNKNOWN or TOKEN_UNKNOWN. */
  async find(text: string): Promise<PrincipalId> {
    const [kind, ...rest] = text.split('/')
    const name = rest.join('/')
    if (kind === 'person') return await this.#person(name)
    if (kind === 'group') return await this.#group(name)
    return await this.#token(name)
  }

  /** One that can be in a group. */
  async member(text: string): Promise<PersonId | TokenId> {
    if (text.startsWith('group/')) throw new Fault('INPUT_INVALID', { at: 'A group cannot be in a group.' })
    return (await this.find(text)) as PersonId | TokenId
  }

  async #person(name: string): Promise<PersonId> {
    const { rows } = await sql<{ id: PersonId }>`select id from person where name = ${name.toLowerCase()}`.execute(this.#db)
    if (!rows[0]) throw new Fault('PERSON_UNKNOWN', { at: name })
    return rows[0].id
  }

  async #group(name: string): Promise<GroupId> {
    const found = await this.#db.selectFrom('people_group').select('id').where('name', '=', name).executeTakeFirst()
    if (!found) throw new Fault('GROUP_UNKNOWN', { at: name })
    return found.id
  }

  /** Only service tokens: a person's own has what the person has. */
  async #token(name: string): Promise<TokenId> {
    const found = await this.#db
      .selectFrom('token')
      .select('id')
      .where('owner_id', 'is', null)
      .where((where) => where.or([where('id', '=', name as TokenId), where('name', '=', name)]))
      .limit(2)
      .execute()
    const [one, other] = found
    if (!one) throw new Fault('TOKEN_UNKNOWN', { at: name })
    if (other) throw new Fault('INPUT_INVALID', { at: `Several tokens are called ${name}: say token/ID.` })
    return one.id
  }
}
