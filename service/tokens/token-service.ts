import { hash } from 'node:crypto'
import type { Clock } from '@postern/base/clock.ts'
import type { Random } from '@postern/base/random.ts'
import type { QueryLimits } from '@postern/protocol/api/query-limits.ts'
import type { TokenRole } from '@postern/protocol/api/tokens.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { newId, type PersonId, type TokenId } from '@postern/protocol/ids.ts'
import { type Asking, soonOrKnown } from '../db/asking.ts'
import type { Caller } from '../rights/caller.ts'
import type { Callers } from '../rights/callers.ts'
import type { NamedRole, TokenRepository, TokenRow } from './token-repository.ts'

const PREFIX = 'ptn_'
const SECRET_BYTES = 32
/** How long a deleted token may still be taken by a replica that has just seen it. */
const CACHE_MS = 1_000
const CACHE_SIZE = 10_000

export interface TokenServiceParts {
  readonly tokens: TokenRepository
  readonly callers: Pick<Callers, 'callerFor' | 'callerForOwn'>
  readonly clock: Clock
  readonly random: Random
}

export interface TokenParts {
  readonly name: string
  readonly role: TokenRole
  readonly roles?: readonly NamedRole[]
  /** Of a person's own token. */
  readonly owner?: PersonId | undefined
  readonly by: string
  readonly limits?: QueryLimits
  readonly expiresAt: Date | null
  /** Of `mint`, where it had to be written down before it became valid. */
  readonly token?: string
}

interface Seen {
  readonly caller: Caller
  readonly id: TokenId
  readonly expiresAt: number
  readonly at: number
}

/** Makes and checks tokens. Only SHA-256 is kept: 32 random bytes need no slow hash. */
export class TokenService {
  readonly #parts: TokenServiceParts
  readonly #seen = new Map<string, Seen>()
  readonly #asking = new Map<string, Asking<Caller>>()

  constructor(parts: TokenServiceParts) {
    this.#parts = parts
  }

  /** From an `Authorization` header. Synchronous while the token was seen within the last second. */
  authenticate(authorization: string | undefined): Caller | Promise<Caller> {
    if (!authorization) throw new Fault('TOKEN_MISSING')
    const [scheme, token] = authorization.split(' ', 2)
    if (scheme?.toLowerCase() !== 'bearer' || !token) throw new Fault('TOKEN_MISSING', { at: 'Authorization must be "Bearer TOKEN".' })
    return this.byToken(token)
  }

  /** Looked up by its hash: how far two tokens agree cannot be measured. */
  byToken(token: string): Caller | Promise<Caller> {
    const hash = hashOf(token)
    const seen = this.#seen.get(hash)
    const { clock } = this.#parts
    if (seen && clock.monotonic() - seen.at < CACHE_MS && seen.expiresAt > clock.now()) return seen.caller
    const since = clock.monotonic()
    let asking = this.#asking.get(hash)
    if (!asking) {
      asking = { answer: this.#ask(hash, seen).finally(() => this.#asking.delete(hash)), since }
      this.#asking.set(hash, asking)
    }
    return soonOrKnown(asking, seen && seen.expiresAt > clock.now() ? seen.caller : undefined, since)
  }

  /** A new token, not yet valid. */
  mint(): string {
    return PREFIX + Buffer.from(this.#parts.random.bytes(SECRET_BYTES)).toString('base64url')
  }

  /** The answer is the only place where the token ever stands. `tokens`: of the transaction, where there is one. */
  async create(parts: TokenParts, tokens = this.#parts.tokens): Promise<{ readonly row: TokenRow; readonly token: string }> {
    const { random } = this.#parts
    const { name, role, roles = [], owner, by, limits = {}, expiresAt, token = this.mint() } = parts
    const id = newId<TokenId>('tok', (count) => random.bytes(count))
    const row = await tokens.add({ id, name, role, roles, ownerId: owner ?? null, limits, createdBy: by, expiresAt, hash: hashOf(token) })
    return { row, token }
  }

  async delete(id: TokenId, tokens = this.#parts.tokens): Promise<TokenRow | undefined> {
    const gone = await tokens.delete(id)
    for (const [hash, seen] of this.#seen) if (seen.id === id) this.#seen.delete(hash)
    return gone
  }

  async #ask(hash: string, stale: Seen | undefined): Promise<Caller> {
    const { clock } = this.#parts
    const at = clock.monotonic()
    const found = await this.#find(hash).catch((cause) => {
      // Nothing can be revoked while the database is away either, so what was so is still so.
      if (stale && stale.expiresAt > clock.now() && Fault.from(cause).code === 'DATABASE_UNREACHABLE') return stale
      throw cause
    })
    if (found === stale && found) {
      // Not asked anew by each query while the database is away.
      if (this.#seen.has(hash)) this.#seen.set(hash, { ...found, at: clock.monotonic() })
      return found.caller
    }
    if (!found) {
      this.#seen.delete(hash)
      throw new Fault('TOKEN_INVALID')
    }
    if (this.#seen.size >= CACHE_SIZE) this.#seen.clear()
    this.#seen.set(hash, { ...found, at })
    return found.caller
  }

  /** Undefined when there is no such token, or nobody any more whose it is. */
  async #find(hash: string): Promise<Omit<Seen, 'at'> | undefined> {
    const { tokens, callers } = this.#parts
    const row = await tokens.findValid(hash)
    if (!row) return undefined
    const caller = await callerOfToken(row, callers)
    return caller && { caller, id: row.id, expiresAt: row.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY }
  }
}

/** What a token may now. Undefined where there is nobody any more whose it is. */
export async function callerOfToken(row: TokenRow, callers: TokenServiceParts['callers']): Promise<Caller | undefined> {
  const { id, name, role, roles, limits, ownerId } = row
  const token = { id, kind: 'token', name, limits } as const
  return await (ownerId === null
    ? callers.callerFor({ ...token, role: role === 'owner' ? 'none' : role, grants: roles })
    : callers.callerForOwn({ ...token, role: 'none', keptTo: role === 'owner' ? undefined : { role, roles } }, ownerId))
}

const hashOf = (token: string): string => hash('sha256', token)
