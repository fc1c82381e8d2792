import type { OidcProvider } from '@postern/protocol/api/oidc.ts'
import type { PersonId } from '@postern/protocol/ids.ts'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../db/database.ts'
import { json } from '../db/tables.ts'

export interface ProviderRow extends OidcProvider {
  readonly name: string
  readonly createdAt: Date
}

/** A command line that waits at a port of its own machine. */
export interface Loopback {
  readonly port: number
  readonly state: string
  readonly challenge: string
}

export interface Flow {
  readonly back: string
  readonly loopback: Loopback | undefined
}

/** For the person to sign in, with a code from an authenticator perhaps. */
const FLOW_SECONDS = 900
/** For a page that is open to be clicked on. */
const HANDOVER_SECONDS = 300

/** All the SQL of OpenID Connect: providers, sign-ins on their way, and what is handed to command lines. */
export class OidcRepository {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  async put(name: string, settings: OidcProvider): Promise<ProviderRow> {
    const { rows } = await sql<{ createdAt: Date }>`
      insert into oidc_provider (name, settings)
           values (${name}, ${json(settings)}::jsonb)
      on conflict (name) do update
              set settings = excluded.settings, changed_at = now()
        returning created_at as "createdAt"`.execute(this.#db)
    return { name, ...settings, createdAt: rows[0]?.createdAt ?? new Date(0) }
  }

  async find(name: string): Promise<ProviderRow | undefined> {
    const row = await this.#db
      .selectFrom('oidc_provider')
      .select(['name', 'settings', 'created_at'])
      .where('name', '=', name)
      .executeTakeFirst()
    return row && { ...row.settings, name: row.name, createdAt: row.created_at }
  }

  async list(): Promise<ProviderRow[]> {
    const rows = await this.#db.selectFrom('oidc_provider').select(['name', 'settings', 'created_at']).orderBy('name').execute()
    return rows.map((row) => ({ ...row.settings, name: row.name, createdAt: row.created_at }))
  }

  async delete(name: string): Promise<boolean> {
    const gone = await this.#db.deleteFrom('oidc_provider').where('name', '=', name).returning('name').executeTakeFirst()
    return gone !== undefined
  }

  async addFlow(flow: Flow & { readonly stateHash: string; readonly browserHash: string; readonly provider: string }): Promise<void> {
    const { stateHash, browserHash, provider, back, loopback } = flow
    await this.#sweep(sql`oidc_flow`, sql`state_hash`)
    await this.#db
      .insertInto('oidc_flow')
      .values({
        state_hash: stateHash,
        browser_hash: browserHash,
        provider,
        back,
        port: loopback?.port ?? null,
        port_state: loopback?.state ?? null,
        port_challenge: loopback?.challenge ?? null,
        expires_at: sql<Date>`now() + ${FLOW_SECONDS} * interval '1 second'`,
      })
      .execute()
  }

  /** It is there no more afterwards. Only for the browser and the provider that it was begun with. */
  async takeFlow(stateHash: string, browserHash: string, provider: string): Promise<Flow | undefined> {
    const row = await this.#db
      .deleteFrom('oidc_flow')
      .where('state_hash', '=', stateHash)
      .where('browser_hash', '=', browserHash)
      .where('provider', '=', provider)
      .where('expires_at', '>', sql<Date>`now()`)
      .returning(['back', 'port', 'port_state as state', 'port_challenge as challenge'])
      .executeTakeFirst()
    if (!row) return undefined
    const { back, port, state, challenge } = row
    return { back, loopback: port === null || state === null || challenge === null ? undefined : { port, state, challenge } }
  }

  async addHandover(codeHash: string, person: PersonId, provider: string, challenge: string): Promise<void> {
    await this.#sweep(sql`oidc_handover`, sql`code_hash`)
    await this.#db
      .insertInto('oidc_handover')
      .values({
        code_hash: codeHash,
        person_id: person,
        provider,
        challenge,
        expires_at: sql<Date>`now() + ${HANDOVER_SECONDS} * interval '1 second'`,
      })
      .execute()
  }

  /** Once, whether the rest is right or not. */
  async takeHandover(
    codeHash: string,
  ): Promise<{ readonly personId: PersonId; readonly provider: string; readonly challenge: string } | undefined> {
    return await this.#db
      .deleteFrom('oidc_handover')
      .where('code_hash', '=', codeHash)
      .where('expires_at', '>', sql<Date>`now()`)
      .returning(['person_id as personId', 'provider', 'challenge'])
      .executeTakeFirst()
  }

  /** What is over, a few at a time. Those that somebody else takes away just now are left to him: two that sweep must not wait for each other. */
  async #sweep(table: RawBuilder<unknown>, key: RawBuilder<unknown>): Promise<void> {
    await sql`
      delete from ${table}
       where ${key} in (select ${key} from ${table} where expires_at < now() limit 100 for update skip locked)`.execute(this.#db)
  }
}
