import type { SignInSettings, SignInSettingsChange } from '@postern/protocol/api/people.ts'
import type { PersonId, SignInId } from '@postern/protocol/ids.ts'
import { sql } from 'kysely'
import type { Db } from '../db/database.ts'
import type { Role } from '../rights/permissions.ts'

export interface SignInRow {
  readonly id: SignInId
  readonly way: string
  readonly createdAt: Date
  readonly usedAt: Date
  readonly expiresAt: Date
  readonly address: string | null
  readonly agent: string
}

/** A sign-in that holds, and who it is. */
export interface ValidSignIn {
  readonly id: SignInId
  readonly personId: PersonId
  readonly name: string
  readonly displayName: string
  readonly role: Role
  readonly way: string
  readonly expiresAt: Date
  /** Its last use was noted so long ago that it should be noted again. */
  readonly stale: boolean
}

export interface NewSignIn {
  readonly id: SignInId
  readonly personId: PersonId
  readonly hash: string
  readonly way: string
  readonly address: string | null
  readonly agent: string
}

/** A use is written down once in so long: each request would be a write otherwise. */
const NOTE_SECONDS = 60

/** All the SQL of sign-ins; time is the database's. */
export class SignInRepository {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  async add({ id, personId, hash, way, address, agent }: NewSignIn): Promise<Date> {
    const { rows } = await sql<{ expiresAt: Date }>`
      insert into sign_in (id, person_id, hash, way, address, agent, expires_at)
           select ${id}, ${personId}, ${hash}, ${way}, ${address}, ${agent}, now() + life_seconds * interval '1 second'
             from sign_in_settings
        returning expires_at as "expiresAt"`.execute(this.#db)
    const [row] = rows
    if (!row) throw new Error('The table sign_in_settings has lost its row.')
    return row.expiresAt
  }

  /** Undefined when it has ended, was idle for too long, or is of somebody who may not come any more. */
  async findValid(hash: string): Promise<ValidSignIn | undefined> {
    const { rows } = await sql<ValidSignIn>`
      select s.id, s.person_id as "personId", p.name, p.display_name as "displayName", p.role, s.way,
             least(s.expires_at, s.used_at + o.idle_seconds * interval '1 second') as "expiresAt",
             s.used_at < now() - least(${NOTE_SECONDS}, o.idle_seconds / 4) * interval '1 second' as stale
        from sign_in s
        join person p on p.id = s.person_id
       cross join sign_in_settings o
       where s.hash = ${hash}
         and s.expires_at > now()
         and s.used_at > now() - o.idle_seconds * interval '1 second'
         and not p.disabled`.execute(this.#db)
    return rows[0]
  }

  async used(id: SignInId): Promise<void> {
    await this.#db.updateTable('sign_in').set({ used_at: sql<Date>`now()` }).where('id', '=', id).execute()
  }

  async of(personId: PersonId): Promise<SignInRow[]> {
    const { rows } = await sql<SignInRow>`
      select s.id, s.way, s.created_at as "createdAt", s.used_at as "usedAt", s.address, s.agent,
             least(s.expires_at, s.used_at + o.idle_seconds * interval '1 second') as "expiresAt"
        from sign_in s
       cross join sign_in_settings o
       where s.person_id = ${personId}
         and s.expires_at > now()
         and s.used_at > now() - o.idle_seconds * interval '1 second'
    order by s.created_at desc
       limit 1000`.execute(this.#db)
    return rows
  }

  /** False when the person has none of this id. */
  async end(personId: PersonId, id: SignInId): Promise<boolean> {
    const gone = await this.#db
      .deleteFrom('sign_in')
      .where('id', '=', id)
      .where('person_id', '=', personId)
      .returning('id')
      .executeTakeFirst()
    return gone !== undefined
  }

  /** How many they were. */
  async endAll(personId: PersonId, but?: SignInId): Promise<number> {
    let query = this.#db.deleteFrom('sign_in').where('person_id', '=', personId)
    if (but !== undefined) query = query.where('id', '<>', but)
    const { numDeletedRows } = await query.executeTakeFirst()
    return Number(numDeletedRows)
  }

  /** What has ended by itself; a few at a time, with each new one. Those that somebody else takes away just now are left to him. */
  async sweep(): Promise<void> {
    await sql`
      delete from sign_in
            where id in (select id from sign_in where expires_at < now() order by expires_at limit 100 for update skip locked)`.execute(
      this.#db,
    )
  }

  async settings(): Promise<SignInSettings> {
    return await this.#db
      .selectFrom('sign_in_settings')
      .select(['idle_seconds as idleSeconds', 'life_seconds as lifeSeconds'])
      .executeTakeFirstOrThrow()
  }

  /** A shorter life ends at once what is older than it; a longer one is for new sign-ins. */
  async setSettings({ idleSeconds, lifeSeconds }: SignInSettingsChange): Promise<void> {
    if (idleSeconds !== undefined) await this.#db.updateTable('sign_in_settings').set({ idle_seconds: idleSeconds }).execute()
    if (lifeSeconds === undefined) return
    await this.#db.updateTable('sign_in_settings').set({ life_seconds: lifeSeconds }).execute()
    await sql`
      update sign_in
         set expires_at = least(expires_at, created_at + ${lifeSeconds} * interval '1 second')`.execute(this.#db)
  }
}
