import type { ReplicaId } from '@postern/protocol/ids.ts'
import { sql } from 'kysely'
import type { Db } from '../db/database.ts'

export interface ReplicaRow {
  readonly id: ReplicaId
  readonly url: string
}

/** A replica that has not renewed its row for so long is taken for dead. All times are the database's. */
const ALIVE = sql`interval '8 seconds'`
const KEPT = sql`interval '10 minutes'`

/** All the SQL of replicas. */
export class ReplicaRepository {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  /** Of several that are offered at once the first is taken; everybody gets that one. */
  async secret(offered: string): Promise<string> {
    await this.#db
      .insertInto('replica_secret')
      .values({ secret: offered })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
    return (await this.#db.selectFrom('replica_secret').select('secret').executeTakeFirstOrThrow()).secret
  }

  /** Says that this one lives, and returns the others that do. */
  async renew({ id, url }: ReplicaRow): Promise<readonly ReplicaRow[]> {
    await this.#db
      .insertInto('replica')
      .values({ id, url })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ url, seen_at: sql`now()` }))
      .execute()
    await this.#db.deleteFrom('replica').where('seen_at', '<', sql<Date>`now() - ${KEPT}`).execute()
    return await this.#db
      .selectFrom('replica')
      .select(['id', 'url'])
      .where('id', '<>', id)
      .where('seen_at', '>', sql<Date>`now() - ${ALIVE}`)
      .orderBy('id')
      .execute()
  }

  async leave(id: ReplicaId): Promise<void> {
    await this.#db.deleteFrom('replica').where('id', '=', id).execute()
  }
}
