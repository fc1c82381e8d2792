import type { QueryLimits } from '@postern/protocol/api/query-limits.ts'
import type { TokenRole } from '@postern/protocol/api/tokens.ts'
import type { PersonId, TokenId } from '@postern/protocol/ids.ts'
import { sql } from 'kysely'
import type { Db } from '../db/database.ts'
import { json } from '../db/tables.ts'
import type { RoleAt } from '../rights/rights.ts'

/** With the place as it is called; gateways and stores keep their names for life. */
export interface NamedRole extends RoleAt {
  readonly on: string
}

export interface TokenRow {
  readonly id: TokenId
  readonly name: string
  readonly role: TokenRole
  readonly roles: readonly NamedRole[]
  readonly ownerId: PersonId | null
  /** Name of that person. */
  readonly owner: string | null
  readonly limits: QueryLimits
  readonly createdAt: Date
  readonly createdBy: string
  readonly expiresAt: Date | null
}

const COLUMNS = [
  'id',
  'name',
  'role',
  'roles',
  'owner_id as ownerId',
  sql<string | null>`(select person.name from person where person.id = token.owner_id)`.as('owner'),
  'limits',
  'created_at as createdAt',
  'created_by as createdBy',
  'expires_at as expiresAt',
] as const

/** All the SQL of tokens. */
export class TokenRepository {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  /** Undefined when there is none or it has expired, by the database's clock. */
  async findValid(hash: string): Promise<TokenRow | undefined> {
    return await this.#db
      .selectFrom('token')
      .select(COLUMNS)
      .where('hash', '=', hash)
      .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', sql<Date>`now()`)]))
      .executeTakeFirst()
  }

  async add(token: Omit<TokenRow, 'createdAt' | 'owner'> & { readonly hash: string }): Promise<TokenRow> {
    return await this.#db
      .insertInto('token')
      .values({
        id: token.id,
        name: token.name,
        hash: token.hash,
        role: token.role,
        roles: json(token.roles),
        owner_id: token.ownerId,
        limits: json(token.limits),
        created_by: token.createdBy,
        expires_at: token.expiresAt,
      })
      .returning(COLUMNS)
      .executeTakeFirstOrThrow()
  }

  /** All; or those of one person. */
  async page(owner: PersonId | undefined, after: string, count: number): Promise<TokenRow[]> {
    const query = this.#db
      .selectFrom('token')
      .select(COLUMNS)
      .where('id', '>', after as TokenId)
      .orderBy('id')
      .limit(count)
    return await (owner === undefined ? query : query.where('owner_id', '=', owner)).execute()
  }

  async find(id: TokenId): Promise<TokenRow | undefined> {
    return await this.#db.selectFrom('token').select(COLUMNS).where('id', '=', id).executeTakeFirst()
  }

  async delete(id: TokenId): Promise<TokenRow | undefined> {
    return await this.#db.deleteFrom('token').where('id', '=', id).returning(COLUMNS).executeTakeFirst()
  }

  async anyAdministrator(): Promise<boolean> {
    const found = await this.#db
      .selectFrom('token')
      .select('id')
      .where('role', '=', 'administrator')
      .where('owner_id', 'is', null)
      .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', sql<Date>`now()`)]))
      .limit(1)
      .executeTakeFirst()
    return found !== undefined
  }
}
