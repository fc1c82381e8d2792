/** Whose connections somebody sees, and may end: his own, and those where he may. */
import { Fault } from '@postern/protocol/fault.ts'
import type { PersonId, SessionId, TokenId } from '@postern/protocol/ids.ts'
import { type Caller, hidden, notAllowed } from '../rights/caller.ts'
import type { Place } from '../rights/rights.ts'
import type { AllSessions, SeenSession } from './all-sessions.ts'

export function maySeeSession(caller: Caller, session: SeenSession): boolean {
  return isOwn(caller, session) || caller.may('queries:read', placeOf(session))
}

/** Fails with SESSION_UNKNOWN or NOT_ALLOWED. */
export async function checkMayEnd(caller: Caller, id: SessionId, sessions: Pick<AllSessions, 'list'>): Promise<void> {
  if (caller.may('gateways:write')) return
  const session = (await sessions.list()).items.find((one) => one.id === id)
  if (!session) throw new Fault('SESSION_UNKNOWN', { at: id })
  const place = placeOf(session)
  if (isOwn(caller, session) || caller.may('stores:write', place) || caller.may('gateways:write', place)) return
  if (!maySeeSession(caller, session)) throw hidden(new Fault('SESSION_UNKNOWN', { at: id }))
  throw notAllowed(caller, 'stores:write', place)
}

const isOwn = (caller: Caller, { about }: SeenSession): boolean => about !== undefined && caller.owns(about.principal as PersonId | TokenId)

const placeOf = ({ about, store }: SeenSession): Place =>
  about ? { store: about.store, gateway: about.gateway, name: `store ${store}` } : {}
