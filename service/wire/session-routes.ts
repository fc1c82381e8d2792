import { SessionView } from '@postern/protocol/api/sessions.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { SessionId } from '@postern/protocol/ids.ts'
import { z } from 'zod'
import type { AuditLog } from '../audit/audit-log.ts'
import type { Routes } from '../http/http-server.ts'
import { actorOf } from '../people/actor.ts'
import type { SessionBook } from './session-book.ts'
import { sessionView } from './session-record.ts'

export interface SessionRouteParts {
  readonly book: Pick<SessionBook, 'list' | 'end'>
  readonly audit: Pick<AuditLog, 'record'>
}

export const sessionRoutes =
  ({ book, audit }: SessionRouteParts): Routes =>
  async (http) => {
    http.get(
      '/v1/sessions',
      {
        schema: {
          summary: 'Open connections (PostgreSQL wire, `postern connect`) of the replica that answers, newest first',
          tags: ['queries'],
          response: { 200: z.object({ items: z.array(SessionView) }) },
        },
        config: { needs: 'queries:read' },
      },
      async () => ({ items: book.list().map((session) => sessionView(session.record, session.idleMs)) }),
    )
    http.delete(
      '/v1/sessions/:session',
      {
        schema: {
          summary: 'End an open connection of the replica that answers, whatever it does',
          tags: ['queries'],
          params: z.object({ session: SessionId }),
          response: { 204: z.null() },
        },
        config: { needs: 'gateways:write' },
      },
      async (request, reply) => {
        const actor = actorOf(request)
        const { session } = request.params
        const ended = book.end(session, actor.who)
        if (!ended) throw new Fault('SESSION_UNKNOWN', { at: session })
        const { store, caller } = ended
        await audit.record({ ...actor, action: 'session.end', target: `session ${session}`, details: { store, caller } })
        return reply.code(204).send(null)
      },
    )
  }
