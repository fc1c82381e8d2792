import { Fault } from '@postern/protocol/fault.ts'
import type { PersonId, TokenId } from '@postern/protocol/ids.ts'
import type { FastifyRequest } from 'fastify'
import '../http/needs.ts'
import type { Caller } from './caller.ts'

/** Who changes something, for the audit. */
export interface Actor {
  readonly who: string
  /** A token or a person; a person also where it is the person's own token. Names may change hands, ids do not. */
  readonly whoId?: TokenId | PersonId | undefined
  readonly ip: string | null
}

/** Who changes something, where it matters what else he may. */
export interface By {
  readonly caller: Caller
  readonly actor: Actor
}

export function actorOf(request: Pick<FastifyRequest, 'caller' | 'ip'>): Actor {
  return { who: request.caller?.name ?? 'nobody', whoId: request.caller?.principal, ip: request.ip }
}

/** The door has seen to it; a route that needs no caller would be a bug here. */
export function callerOf({ caller }: Pick<FastifyRequest, 'caller'>): Caller {
  if (!caller) throw new Fault('TOKEN_MISSING')
  return caller
}

export const byOf = (request: Pick<FastifyRequest, 'caller' | 'ip'>): By => ({ caller: callerOf(request), actor: actorOf(request) })
