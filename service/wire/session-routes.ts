import { SessionView } from '@postern/protocol/api/sessions.ts'
import { z } from 'zod'
import type { Routes } from '../http/http-server.ts'
import type { SessionBook } from './session-book.ts'
import { sessionView } from './session-record.ts'

export const sessionRoutes =
  (book: SessionBook): Routes =>
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
  }
