import type { ReplicaId } from '@postern/protocol/ids.ts'
import { sql } from 'kysely'
import type { Db } from '../db/database.ts'

export interface ReplicaRow {
  readonly id: ReplicaId
  readonly url: string
  /** Ed25519, 32 bytes, base64url: of the key that its process made. */
  readonly publicKey: string
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

  /** Says that this one lives, and returns the others that do. */
  async renew({ id, url, publicKey }: ReplicaRow): Promise<readonly ReplicaRow[]> {
    await this.#db
      .insertInto('replica')
      .values({ id, url, public_key: publicKey })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ url, seen_at: sql`now()` }))
      .execute()
    await this.#db.deleteFrom('replica').where('seen_at', '<', sql<Date>`now() - ${KEPT}`).execute()
    return await this.others(id)
  }

  /** That live and can prove it. */
  async others(id: ReplicaId): Promise<readonly ReplicaRow[]> {
    const { rows } = await sql<ReplicaRow>`
      select id, url, public_key as "publicKey"
        from replica
       where id <> ${id} and seen_at > now() - ${ALIVE} and public_key is not null
       order by id`.execute(this.#db)
    return rows
  }

  async leave(id: ReplicaId): Promise<void> {
    await this.#db.deleteFrom('replica').where('id', '=', id).execute()
  }
}
