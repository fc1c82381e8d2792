import type { Random } from '@postern/base/random.ts'
import type { GroupChange, GroupCreate, GroupSummary, GroupView } from '@postern/protocol/api/grants.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { type GroupId, newId } from '@postern/protocol/ids.ts'
import type { Kysely } from 'kysely'
import type { z } from 'zod'
import type { AuditLog } from '../audit/audit-log.ts'
import { violates } from '../db/errors.ts'
import type { Tables } from '../db/tables.ts'
import type { By } from '../rights/actor.ts'
import type { Caller } from '../rights/caller.ts'
import { GrantRepository } from '../rights/grant-repository.ts'
import { checkMayGrant } from '../rights/grant-service.ts'
import { Principals } from '../rights/principals.ts'
import { GroupRepository, type GroupRow } from './group-repository.ts'

export interface GroupServiceParts {
  readonly db: Kysely<Tables>
  readonly audit: AuditLog
  readonly random: Random
}

/** Groups of people and service tokens: what is given to a group, each of its members has. */
export class GroupService {
  readonly #parts: GroupServiceParts

  constructor(parts: GroupServiceParts) {
    this.#parts = parts
  }

  async create({ name, description }: z.output<typeof GroupCreate>, { actor }: By): Promise<GroupView> {
    const { db, audit, random } = this.#parts
    const id = newId<GroupId>('grp', (count) => random.bytes(count))
    await db
      .transaction()
      .execute(async (transaction) => {
        await new GroupRepository(transaction).add({ id, name, description, createdBy: actor.who })
        await audit.record({ ...actor, action: 'group.create', target: `group ${name}`, details: { id } }, transaction)
      })
      .catch((cause: unknown) => {
        throw violates(cause, 'people_group_name_unique') ? new Fault('GROUP_EXISTS', { at: name }) : cause
      })
    return await this.show(name)
  }

  async show(name: string): Promise<GroupView> {
    const group = await this.#find(name)
    const members = await new GroupRepository(this.#parts.db).members(group.id)
    return {
      ...summaryOf(group),
      memberList: members.map(({ principal, principalId, source }) => ({ who: principal ?? principalId, source })),
    }
  }

  async page(after: string, count: number): Promise<GroupRow[]> {
    return await new GroupRepository(this.#parts.db).page(after, count)
  }

  async change(name: string, { description }: GroupChange, { actor }: By): Promise<GroupView> {
    const { db, audit } = this.#parts
    const { id } = await this.#find(name)
    await db.transaction().execute(async (transaction) => {
      await new GroupRepository(transaction).describe(id, description)
      await audit.record({ ...actor, action: 'group.set', target: `group ${name}` }, transaction)
    })
    return await this.show(name)
  }

  /** What was given to it is gone with it. */
  async delete(name: string, { caller, actor }: By): Promise<void> {
    const { db, audit } = this.#parts
    const { id } = await this.#find(name)
    await this.#checkGrants(id, caller)
    await db.transaction().execute(async (transaction) => {
      await new GrantRepository(transaction).forget(id)
      await new GroupRepository(transaction).delete(id)
      await audit.record({ ...actor, action: 'group.delete', target: `group ${name}`, details: { id } }, transaction)
    })
  }

  /** To put somebody into a group is to give all that the group has. */
  async join(name: string, member: string, { caller, actor }: By): Promise<GroupView> {
    const { db, audit } = this.#parts
    const { id } = await this.#find(name)
    await this.#checkGrants(id, caller)
    const principal = await new Principals(db).member(member)
    await db
      .transaction()
      .execute(async (transaction) => {
        if (await new GroupRepository(transaction).addMember(id, principal))
          await audit.record({ ...actor, action: 'group.join', target: `group ${name}`, details: { member } }, transaction)
      })
      .catch((cause: unknown) => {
        throw violates(cause, 'group_member_group') ? new Fault('GROUP_UNKNOWN', { at: name }) : cause
      })
    return await this.show(name)
  }

  async leave(name: string, member: string, { actor }: By): Promise<void> {
    const { db, audit } = this.#parts
    const { id } = await this.#find(name)
    const principal = await new Principals(db).member(member)
    await db.transaction().execute(async (transaction) => {
      if (await new GroupRepository(transaction).removeMember(id, principal))
        await audit.record({ ...actor, action: 'group.leave', target: `group ${name}`, details: { member } }, transaction)
    })
  }

  async #checkGrants(id: GroupId, caller: Caller): Promise<void> {
    const { grants } = await new GrantRepository(this.#parts.db).givenTo(id)
    for (const { role, ...place } of grants) checkMayGrant(caller, role, place)
  }

  async #find(name: string): Promise<GroupRow> {
    const group = await new GroupRepository(this.#parts.db).findByName(name)
    if (!group) throw new Fault('GROUP_UNKNOWN', { at: name })
    return group
  }
}

export function summaryOf({ id, name, description, members, createdAt, createdBy }: GroupRow): GroupSummary {
  return { id, name, description, members, createdAt: createdAt.toISOString(), createdBy }
}
