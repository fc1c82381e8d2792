import { SessionList } from '@postern/protocol/api/sessions.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { SessionId } from '@postern/protocol/ids.ts'
import { z } from 'zod'
import type { AuditLog } from '../audit/audit-log.ts'
import type { Routes } from '../http/http-server.ts'
import { actorOf, callerOf } from '../rights/actor.ts'
import type { AllSessions } from './all-sessions.ts'
import { checkMayEnd, maySeeSession } from './session-access.ts'

export interface SessionRouteParts {
  readonly sessions: Pick<AllSessions, 'list' | 'end'>
  readonly audit: Pick<AuditLog, 'record'>
}

export const sessionRoutes =
  ({ sessions, audit }: SessionRouteParts): Routes =>
  async (http) => {
    http.get(
      '/v1/sessions',
      {
        schema: {
          summary: 'Open connections (PostgreSQL wire, `postern connect`) of all replicas of the service, newest first',
          tags: ['queries'],
          response: { 200: SessionList },
        },
        config: { needs: 'queries:read', on: 'inside' },
      },
      async (request) => {
        const { items, silent } = await sessions.list()
        const seen = items.filter((session) => maySeeSession(callerOf(request), session))
        return { items: seen.map(({ about: _, ...session }) => session), silent: [...silent] }
      },
    )
    http.delete(
      '/v1/sessions/:session',
      {
        schema: {
          summary: 'End an open connection, whatever it does, at whichever replica it is',
          description: "One's own, or with `stores:write` on the store, or with `gateways:write` on its gateway.",
          tags: ['queries'],
          params: z.object({ session: SessionId }),
          response: { 204: z.null() },
        },
        config: { needs: 'gateways:write', on: 'inside' },
      },
      async (request, reply) => {
        const actor = actorOf(request)
        const { session } = request.params
        await checkMayEnd(callerOf(request), session, sessions)
        const ended = await sessions.end(session, actor.who)
        if (!ended) throw new Fault('SESSION_UNKNOWN', { at: session })
        const { store, caller } = ended
        await audit.record({ ...actor, action: 'session.end', target: `session ${session}`, details: { store, caller } })
        return reply.code(204).send(null)
      },
    )
  }
