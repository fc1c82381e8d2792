import { z } from 'zod'
import type { Routes } from '../http/http-server.ts'
import { PageQuery, page, pageOf, readCursor } from '../http/paging.ts'
import type { AuditLog } from './audit-log.ts'

const AuditView = z.object({
  id: z.int(),
  at: z.iso.datetime(),
  who: z.string(),
  action: z.string(),
  target: z.string(),
  ip: z.string().nullable(),
  details: z.record(z.string(), z.unknown()),
})

export const auditRoutes =
  (audit: AuditLog): Routes =>
  async (http) => {
    http.get(
      '/v1/audit',
      {
        schema: {
          summary: 'Who changed what, newest first',
          tags: ['audit'],
          querystring: PageQuery,
          response: { 200: pageOf(AuditView) },
        },
        config: { needs: 'audit:read' },
      },
      async ({ query: { limit, cursor } }) => {
        const before = readCursor(cursor)
        const rows = await audit.page(before === undefined ? undefined : Number(before), limit + 1)
        return page(
          rows,
          limit,
          ({ id }) => id,
          ({ at, ...row }) => ({ ...row, at: at.toISOString() }),
        )
      },
    )
  }
