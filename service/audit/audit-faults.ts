import type { Fault } from '@postern/protocol/fault.ts'
import type { FastifyRequest } from 'fastify'
import { actorOf } from '../people/actor.ts'
import { isRefusal } from '../people/caller.ts'
import type { AuditEntry } from './audit-log.ts'

/** A browser that is not signed in asks for everything once; that is nobody's try. Refused sign-ins have a record that says of which account. */
const SILENT = new Set<Fault['code']>(['TOKEN_MISSING', 'STOPPING', 'SIGN_IN_REFUSED', 'OIDC_NOT_ADMITTED'])

/**
 * The record of a request that ended in a fault: what was refused, and changes that were allowed and not done. Undefined for those that
 * leave none: looks that found nothing, and queries, whose failures stand in the query log.
 */
export function entryOf(request: FastifyRequest, fault: Fault): AuditEntry | undefined {
  if (SILENT.has(fault.code)) return undefined
  const { method, url, routeOptions, caller } = request
  const refused = isRefusal(fault)
  const route = routeOptions.url ?? ''
  const changes = caller !== null && method !== 'GET' && method !== 'HEAD' && !route.endsWith('/query')
  if (!refused && !changes) return undefined
  return {
    ...actorOf(request),
    action: `${method} ${route}`,
    target: (url.split('?')[0] ?? '').slice(0, 300),
    outcome: refused ? 'refused' : 'failed',
    details: { code: fault.code, ...(fault.code === 'NOT_ALLOWED' ? { says: fault.message.slice(0, 300) } : {}) },
  }
}
