import type { GroupId, PersonId, TokenId } from '@postern/protocol/ids.ts'
import { sql } from 'kysely'
import type { Db } from '../db/database.ts'

export interface GroupRow {
  readonly id: GroupId
  readonly name: string
  readonly description: string
  readonly createdAt: Date
  readonly createdBy: string
  readonly members: number
}

export interface MemberRow {
  readonly principalId: PersonId | TokenId
  /** `person/ann`, `token/ci`; null where it is gone. */
  readonly principal: string | null
  readonly source: 'local' | 'oidc'
}

/** All the SQL of groups and their members. */
export class GroupRepository {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  async add(group: Pick<GroupRow, 'id' | 'name' | 'description' | 'createdBy'>): Promise<void> {
    await this.#db
      .insertInto('people_group')
      .values({ id: group.id, name: group.name, description: group.description, created_by: group.createdBy })
      .execute()
  }

  async findByName(name: string): Promise<GroupRow | undefined> {
    return await this.#select().where('name', '=', name).executeTakeFirst()
  }

  async page(after: string, count: number): Promise<GroupRow[]> {
    return await this.#select().where('name', '>', after).orderBy('name').limit(count).execute()
  }

  async describe(id: GroupId, description: string): Promise<void> {
    await this.#db.updateTable('people_group').set({ description }).where('id', '=', id).execute()
  }

  async delete(id: GroupId): Promise<void> {
    await this.#db.deleteFrom('people_group').where('id', '=', id).execute()
  }

  async members(id: GroupId): Promise<MemberRow[]> {
    const { rows } = await sql<MemberRow>`
      select m.principal_id as "principalId", m.source, coalesce('person/' || p.name, 'token/' || t.name) as principal
        from group_member as m
        left join person as p on p.id = m.principal_id
        left join token as t on t.id = m.principal_id
       where m.group_id = ${id}
       order by principal, source`.execute(this.#db)
    return rows
  }

  /** Those that somebody is in, by name. */
  async groupsOf(principal: PersonId | TokenId): Promise<readonly { readonly name: string; readonly source: 'local' | 'oidc' }[]> {
    const { rows } = await sql<{ name: string; source: 'local' | 'oidc' }>`
      select g.name, m.source
        from group_member as m
        join people_group as g on g.id = m.group_id
       where m.principal_id = ${principal}
       order by g.name, m.source`.execute(this.#db)
    return rows
  }

  /** False where it was one before. */
  async addMember(id: GroupId, principal: PersonId | TokenId): Promise<boolean> {
    const { numInsertedOrUpdatedRows } = await this.#db
      .insertInto('group_member')
      .values({ group_id: id, principal_id: principal })
      .onConflict((conflict) => conflict.constraint('group_member_pk').doNothing())
      .executeTakeFirst()
    return (numInsertedOrUpdatedRows ?? 0n) > 0n
  }

  /** Only what was said here: what a provider says, it says again at the next sign-in. */
  async removeMember(id: GroupId, principal: PersonId | TokenId): Promise<boolean> {
    const { numDeletedRows } = await this.#db
      .deleteFrom('group_member')
      .where('group_id', '=', id)
      .where('principal_id', '=', principal)
      .where('source', '=', 'local')
      .executeTakeFirst()
    return numDeletedRows > 0n
  }

  /** Exactly these groups by this source; names that are no group here mean nothing. Returns the groups that it is in by this source. */
  async setMemberships(
    person: PersonId,
    names: readonly string[],
    source: 'local' | 'oidc',
    db: Db = this.#db,
  ): Promise<readonly string[]> {
    await sql`
      delete from group_member
       where principal_id = ${person} and source = ${source}
         and group_id not in (select id from people_group where name = any(${[...names]}))`.execute(db)
    await sql`
      insert into group_member (group_id, principal_id, source)
      select id, ${person}, ${source} from people_group where name = any(${[...names]})
          on conflict do nothing`.execute(db)
    const { rows } = await sql<{ name: string }>`select name from people_group where name = any(${[...names]}) order by name`.execute(db)
    return rows.map(({ name }) => name)
  }

  #select() {
    return this.#db
      .selectFrom('people_group')
      .select(['id', 'name', 'description', 'created_at as createdAt', 'created_by as createdBy'])
      .select(sql<number>`(select count(distinct principal_id) from group_member where group_id = people_group.id)::int`.as('members'))
  }
}
