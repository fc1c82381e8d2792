import { Readable } from 'node:stream'
import { AuditFilter, AuditFormat, AuditSettings, AuditView } from '@postern/protocol/api/audit.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { Routes } from '../http/http-server.ts'
import { PageQuery, page, pageOf, readCursor } from '../http/paging.ts'
import { actorOf, byOf, callerOf } from '../rights/actor.ts'
import { CONTENT_TYPES } from './audit-export.ts'
import type { AuditPlace, AuditRow } from './audit-repository.ts'
import type { AuditService } from './audit-service.ts'

const tags = ['audit']
const AuditExport = AuditFilter.extend({ format: AuditFormat.default('ndjson') })

export const auditRoutes =
  (audit: AuditService): Routes =>
  async (http) => {
    http.get(
      '/v1/audit',
      {
        schema: {
          summary: 'Who did what, from where and with what outcome, newest first; also what was refused',
          description: 'Of the gateways where one may; with `audit:read` on the whole service all of it, people and tokens too.',
          tags,
          querystring: PageQuery.extend(AuditFilter.shape),
          response: { 200: pageOf(AuditView) },
        },
        config: { needs: 'audit:read', on: 'inside' },
      },
      async (request) => {
        const { limit, cursor, ...filter } = request.query
        const rows = await audit.page(filter, placeOf(cursor), limit + 1, callerOf(request))
        return page(rows, limit, ({ at, key }) => `${at}/${key}`, viewOf)
      },
    )

    http.get(
      '/v1/audit/export',
      {
        schema: { summary: 'The audit as a file, oldest first: NDJSON or CSV', tags, querystring: AuditExport },
        config: { needs: 'audit:read', on: 'inside' },
      },
      async (request, reply) => {
        const { format, ...filter } = request.query
        const lines = Readable.from(audit.export(filter, format, byOf(request)), { objectMode: false, highWaterMark: 256 << 10 })
        return reply
          .type(CONTENT_TYPES[format])
          .header('content-disposition', `attachment; filename="postern-audit.${format}"`)
          .serializer((value: unknown) => value as string)
          .send(lines)
      },
    )

    http.get(
      '/v1/audit/settings',
      { schema: { summary: 'How long the audit is kept', tags, response: { 200: AuditSettings } }, config: { needs: 'audit:read' } },
      async () => await audit.settings(),
    )

    http.patch(
      '/v1/audit/settings',
      {
        schema: {
          summary: 'Change how long the audit is kept; what is older is deleted within ten minutes',
          tags,
          body: AuditSettings,
          response: { 200: AuditSettings },
        },
        config: { needs: 'audit:write' },
      },
      async (request) => await audit.set(request.body, actorOf(request)),
    )
  }

function viewOf({ key: _, at, ...row }: AuditRow): AuditView {
  return { ...row, at }
}

function placeOf(cursor: string | undefined): AuditPlace | undefined {
  const text = readCursor(cursor)
  if (text === undefined) return undefined
  const [at = '', key = ''] = text.split('/')
  if (!/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(at) || Number.isNaN(Date.parse(at)))
    throw new Fault('INPUT_INVALID', { at: 'query cursor: not one of ours.' })
  return { at, key }
}
