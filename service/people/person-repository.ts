import type { PersonId } from '@postern/protocol/ids.ts'
import { sql } from 'kysely'
import type { Db } from '../db/database.ts'
import type { Role } from '../rights/permissions.ts'

export interface PersonRow {
  readonly id: PersonId
  readonly name: string
  readonly displayName: string
  readonly email: string | null
  readonly role: Role
  readonly disabled: boolean
  readonly hasPassword: boolean
  readonly passwordOnce: boolean
  readonly issuer: string | null
  readonly createdAt: Date
  readonly createdBy: string
  readonly signedInAt: Date | null
}

export interface NewPerson {
  readonly id: PersonId
  readonly name: string
  readonly displayName: string
  readonly email: string | null
  readonly role: Role
  readonly createdBy: string
  readonly password?: { readonly hash: string; readonly once: boolean }
  readonly from?: { readonly issuer: string; readonly subject: string }
}

export interface PersonPatch {
  readonly displayName?: string | undefined
  readonly email?: string | null | undefined
  readonly role?: Role | undefined
  readonly disabled?: boolean | undefined
}

/** The hash leaves the database only to be compared with. */
const COLUMNS = [
  'id',
  'name',
  'display_name as displayName',
  'email',
  'role',
  'disabled',
  sql<boolean>`password is not null`.as('hasPassword'),
  'password_once as passwordOnce',
  'issuer',
  'created_at as createdAt',
  'created_by as createdBy',
  'signed_in_at as signedInAt',
] as const

/** All the SQL of people. */
export class PersonRepository {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  /** Constraint person_name_unique says that there is one of this name. */
  async add({ id, name, displayName, email, role, createdBy, password, from }: NewPerson): Promise<PersonRow> {
    return await this.#db
      .insertInto('person')
      .values({
        id,
        name,
        display_name: displayName,
        email,
        role,
        password: password?.hash ?? null,
        password_once: password?.once ?? false,
        issuer: from?.issuer ?? null,
        subject: from?.subject ?? null,
        created_by: createdBy,
      })
      .returning(COLUMNS)
      .executeTakeFirstOrThrow()
  }

  async find(name: string): Promise<PersonRow | undefined> {
    return await this.#db.selectFrom('person').select(COLUMNS).where('name', '=', name).executeTakeFirst()
  }

  async get(id: PersonId): Promise<PersonRow | undefined> {
    return await this.#db.selectFrom('person').select(COLUMNS).where('id', '=', id).executeTakeFirst()
  }

  async findBySubject(issuer: string, subject: string): Promise<PersonRow | undefined> {
    return await this.#db
      .selectFrom('person')
      .select(COLUMNS)
      .where('issuer', '=', issuer)
      .where('subject', '=', subject)
      .executeTakeFirst()
  }

  async passwordOf(id: PersonId): Promise<string | undefined> {
    const row = await this.#db.selectFrom('person').select('password').where('id', '=', id).executeTakeFirst()
    return row?.password ?? undefined
  }

  async setPassword(id: PersonId, hash: string, once: boolean): Promise<void> {
    await this.#db.updateTable('person').set({ password: hash, password_once: once }).where('id', '=', id).execute()
  }

  /** One that the person has chosen, or the same at another cost. False, and nothing is changed, where somebody has changed it meanwhile. */
  async replaceHash(id: PersonId, before: string, hash: string): Promise<boolean> {
    const replaced = await this.#db
      .updateTable('person')
      .set({ password: hash, password_once: false })
      .where('id', '=', id)
      .where('password', '=', before)
      .returning('id')
      .executeTakeFirst()
    return replaced !== undefined
  }

  async change(id: PersonId, { displayName, email, role, disabled }: PersonPatch): Promise<PersonRow | undefined> {
    return await this.#db
      .updateTable('person')
      .set({
        ...(displayName === undefined ? {} : { display_name: displayName }),
        ...(email === undefined ? {} : { email }),
        ...(role === undefined ? {} : { role }),
        ...(disabled === undefined ? {} : { disabled }),
        // Something is set even where nothing changes.
        id,
      })
      .where('id', '=', id)
      .returning(COLUMNS)
      .executeTakeFirst()
  }

  /**
   * False where he may not come any more, or not by the password that was compared: both may have changed since. The row is locked, so that
   * whoever disables him or gives him another password just now ends this sign-in too.
   */
  async signedIn(id: PersonId, hash?: string): Promise<boolean> {
    let query = this.#db.updateTable('person').set({ signed_in_at: sql<Date>`now()` }).where('id', '=', id).where('disabled', '=', false)
    if (hash !== undefined) query = query.where('password', '=', hash)
    return (await query.returning('id').executeTakeFirst()) !== undefined
  }

  /** Their sign-ins go with them. */
  async delete(id: PersonId): Promise<void> {
    await this.#db.deleteFrom('person').where('id', '=', id).execute()
  }

  async page(after: string, count: number): Promise<PersonRow[]> {
    return await this.#db.selectFrom('person').select(COLUMNS).where('name', '>', after).orderBy('name').limit(count).execute()
  }

  async any(): Promise<boolean> {
    return (await this.#db.selectFrom('person').select('id').limit(1).executeTakeFirst()) !== undefined
  }

  /** Who can get in without anybody's help; `but` is left out. */
  async anyAdministrator(but?: PersonId): Promise<boolean> {
    let query = this.#db
      .selectFrom('person')
      .select('id')
      .where('role', '=', 'administrator')
      .where('disabled', '=', false)
      .where('password', 'is not', null)
    if (but !== undefined) query = query.where('id', '<>', but)
    return (await query.limit(1).executeTakeFirst()) !== undefined
  }

  /** One change of who administers at a time. */
  async lockAdministrators(): Promise<void> {
    await sql`select pg_advisory_xact_lock(hashtext('postern.administrators'))`.execute(this.#db)
  }

  /** Until the end of the transaction nobody else comes for the first time. */
  async lockNewcomers(): Promise<void> {
    await sql`select pg_advisory_xact_lock(hashtext('postern.newcomers'))`.execute(this.#db)
  }
}
