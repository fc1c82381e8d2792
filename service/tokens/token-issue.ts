import { limitsInWords } from '@postern/protocol/api/query-limits.ts'
import type { TokenCreate } from '@postern/protocol/api/tokens.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { TokenId } from '@postern/protocol/ids.ts'
import type { Kysely } from 'kysely'
import type { z } from 'zod'
import type { AuditLog } from '../audit/audit-log.ts'
import type { Tables } from '../db/tables.ts'
import type { By } from '../rights/actor.ts'
import { type Caller, hidden } from '../rights/caller.ts'
import type { GrantRepository } from '../rights/grant-repository.ts'
import { checkMayGrant, scopeOf } from '../rights/grant-service.ts'
import { ROLES, rolesOn } from '../rights/permissions.ts'
import type { Places } from '../rights/places.ts'
import { type NamedRole, TokenRepository, type TokenRow } from './token-repository.ts'
import type { TokenService } from './token-service.ts'

export interface TokenIssueParts {
  readonly db: Kysely<Tables>
  readonly tokens: TokenService
  readonly repository: TokenRepository
  readonly grants: GrantRepository
  readonly places: Places
  readonly audit: AuditLog
}

type Wanted = z.output<typeof TokenCreate>

/** What people do with tokens: service tokens, for those who may make them, and everybody's own. */
export class TokenIssue {
  readonly #parts: TokenIssueParts

  constructor(parts: TokenIssueParts) {
    this.#parts = parts
  }

  async create(wanted: Wanted, { caller, actor }: By): Promise<{ readonly row: TokenRow; readonly token: string }> {
    const { db, tokens, audit } = this.#parts
    const { name, limits, expiresAt, forMe } = wanted
    if (!forMe) caller.need('tokens:write')
    const roles = await this.#rolesOf(wanted, caller)
    const parts = {
      ...(forMe ? this.#own(wanted, caller) : this.#service(wanted, roles, caller)),
      name,
      roles,
      limits,
      by: actor.who,
      expiresAt: expiresAt ? new Date(expiresAt) : null,
    }
    // A token that nobody can be told of in the audit is none.
    return await db.transaction().execute(async (transaction) => {
      const made = await tokens.create(parts, new TokenRepository(transaction))
      const { id, role } = made.row
      const details = { id, role, roles: inWords(roles), own: forMe, limits: limitsInWords(limits), expiresAt: expiresAt ?? null }
      await audit.record({ ...actor, action: 'token.create', target: `token ${name}`, details }, transaction)
      return made
    })
  }

  /** All, for those who may see them; one's own for everybody. */
  async page(caller: Caller, after: string, count: number): Promise<TokenRow[]> {
    const { repository } = this.#parts
    if (caller.may('tokens:read')) return await repository.page(undefined, after, count)
    return caller.person === undefined ? [] : await repository.page(caller.person, after, count)
  }

  async delete(id: TokenId, { caller, actor }: By): Promise<void> {
    const { db, tokens, repository, grants, audit } = this.#parts
    const found = await repository.find(id)
    const unknown = new Fault('TOKEN_UNKNOWN', { at: id })
    if (!found) throw unknown
    const own = caller.id === id || (found.ownerId !== null && found.ownerId === caller.person)
    if (!own && !caller.may('tokens:read')) throw hidden(unknown)
    if (!own) caller.need('tokens:write')
    await db.transaction().execute(async (transaction) => {
      await grants.forget(id, transaction)
      if (!(await tokens.delete(id, new TokenRepository(transaction)))) throw unknown
      await audit.record({ ...actor, action: 'token.delete', target: `token ${found.name}`, details: { id } }, transaction)
    })
  }

  /** Never more than oneself, whatever it says: that is seen to at each use, by what its owner may then. */
  #own({ role, roles }: Wanted, caller: Caller) {
    // A token that is kept to less would else make itself one that is not, or that outlives it.
    if (caller.kind !== 'person')
      throw new Fault('NOT_ALLOWED', {
        at: 'Tokens of one’s own are made by people who have signed in, not by a token.',
        remedy: 'Sign in with `postern login URL --name NAME`.',
      })
    return { role: role ?? (roles.length > 0 ? 'none' : 'owner'), owner: caller.person } as const
  }

  /** Nobody gives a token more than he has. */
  #service({ role = 'none' }: Wanted, roles: readonly NamedRole[], caller: Caller) {
    if (role === 'none' && roles.length === 0)
      throw new Fault('INPUT_INVALID', { at: 'role: say what the token is for, or roles on gateways or stores.' })
    if (role !== 'none') checkMayGrant(caller, role, {})
    for (const { role, on, ...place } of roles) checkMayGrant(caller, role, { ...place, name: on.replace('/', ' ') })
    return { role }
  }

  async #rolesOf({ roles }: Wanted, caller: Caller): Promise<readonly NamedRole[]> {
    const { places } = this.#parts
    return await Promise.all(
      roles.map(async ({ role, on }) => {
        const scope = scopeOf(on)
        if (scope === 'service' || !rolesOn(scope).includes(role))
          throw new Fault('INPUT_INVALID', { at: `roles: ${role} is given on ${ROLES[role].on.join(' or ')}, not on ${on}.` })
        const { gateway, store } = await places.look(caller, on)
        return { role, on, ...(gateway ? { gateway } : {}), ...(store ? { store } : {}) }
      }),
    )
  }
}

const inWords = (roles: readonly NamedRole[]): string => roles.map(({ role, on }) => `${role} on ${on}`).join(', ')
