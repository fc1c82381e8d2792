import type { PersonId, TokenId } from '@postern/protocol/ids.ts'
import type { Caller } from '../rights/caller.ts'
import type { Callers } from '../rights/callers.ts'
import type { TokenRepository } from '../tokens/token-repository.ts'
import { callerOfToken } from '../tokens/token-service.ts'

/** For whom something goes on after the request that began it. */
export interface Acting {
  /** As it was called then. */
  readonly name: string
  readonly principal: PersonId | TokenId
  /** By which it was asked for; null: by a sign-in, which may end meanwhile. */
  readonly token: TokenId | null
}

export interface ActingCallersParts {
  readonly callers: Pick<Callers, 'callerFor' | 'callerForOwn' | 'callerForPerson'>
  readonly tokens: Pick<TokenRepository, 'find'>
}

/** What those may now for whom something goes on; found by their ids, for their proof is not kept. */
export class ActingCallers {
  readonly #parts: ActingCallersParts

  constructor(parts: ActingCallersParts) {
    this.#parts = parts
  }

  /**
   * Or in words why there is nobody any more. A token whose time is over counts: like a sign-in that has ended it begins nothing
   * more, and nobody has taken anything away.
   */
  async find({ name, principal, token }: Acting): Promise<Caller | string> {
    const { callers, tokens } = this.#parts
    if (token === null) return (await callers.callerForPerson(principal as PersonId)) ?? `The account ${name} was disabled or deleted.`
    const row = await tokens.find(token)
    if (!row) return `The token ${name} was deleted.`
    return (await callerOfToken(row, callers)) ?? `The account of the token ${name} was disabled or deleted.`
  }
}

export const actingFor = ({ name, principal, kind, id }: Caller): Acting => ({
  name,
  principal,
  token: kind === 'token' ? (id as TokenId) : null,
})
