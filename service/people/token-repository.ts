import type { QueryLimits } from '@postern/protocol/api/query-limits.ts'
import type { TokenId } from '@postern/protocol/ids.ts'
import { sql } from 'kysely'
import type { Db } from '../db/database.ts'
import { json } from '../db/tables.ts'
import type { Role } from './permissions.ts'

export interface TokenRow {
  readonly id: TokenId
  readonly name: string
  readonly role: Role
  readonly limits: QueryLimits
  readonly createdAt: Date
  readonly createdBy: string
  readonly expiresAt: Date | null
}

const COLUMNS = ['id', 'name', 'role', 'limits', 'created_at as createdAt', 'created_by as createdBy', 'expires_at as expiresAt'] as const

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

  async add(token: Omit<TokenRow, 'createdAt'> & { readonly hash: string }): Promise<TokenRow> {
    return await this.#db
      .insertInto('token')
      .values({
        id: token.id,
        name: token.name,
        hash: token.hash,
        role: token.role,
        limits: json(token.limits),
        created_by: token.createdBy,
        expires_at: token.expiresAt,
      })
      .returning(COLUMNS)
      .executeTakeFirstOrThrow()
  }

  async page(after: string, count: number): Promise<TokenRow[]> {
    return await this.#db
      .selectFrom('token')
      .select(COLUMNS)
      .where('id', '>', after as TokenId)
      .orderBy('id')
      .limit(count)
      .execute()
  }

  async delete(id: TokenId): Promise<TokenRow | undefined> {
    return await this.#db.deleteFrom('token').where('id', '=', id).returning(COLUMNS).executeTakeFirst()
  }

  async anyAdministrator(): Promise<boolean> {
    const found = await this.#db
      .selectFrom('token')
      .select('id')
      .where('role', '=', 'administrator')
      .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', sql<Date>`now()`)]))
      .limit(1)
      .executeTakeFirst()
    return found !== undefined
  }
}
