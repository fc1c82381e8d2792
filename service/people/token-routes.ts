import { limitsInWords } from '@postern/protocol/api/query-limits.ts'
import { TokenCreate, TokenCreated, TokenView } from '@postern/protocol/api/tokens.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { TokenId } from '@postern/protocol/ids.ts'
import { z } from 'zod'
import type { AuditLog } from '../audit/audit-log.ts'
import type { Routes } from '../http/http-server.ts'
import { PageQuery, page, pageOf, readCursor } from '../http/paging.ts'
import { actorOf } from './actor.ts'
import type { TokenRepository, TokenRow } from './token-repository.ts'
import type { TokenService } from './token-service.ts'

const viewOf = ({ id, name, role, limits, createdAt, createdBy, expiresAt }: TokenRow): TokenView => ({
  id,
  name,
  role,
  limits,
  createdAt: createdAt.toISOString(),
  createdBy,
  expiresAt: expiresAt?.toISOString() ?? null,
})

export const tokenRoutes =
  (parts: { readonly tokens: TokenService; readonly repository: TokenRepository; readonly audit: AuditLog }): Routes =>
  async (http) => {
    const { tokens, repository, audit } = parts

    http.get(
      '/v1/tokens',
      {
        schema: { summary: 'List the tokens', tags: ['people'], querystring: PageQuery, response: { 200: pageOf(TokenView) } },
        config: { needs: 'tokens:read' },
      },
      async ({ query: { limit, cursor } }) =>
        page(await repository.page(readCursor(cursor) ?? '', limit + 1), limit, ({ id }) => id, viewOf),
    )

    http.post(
      '/v1/tokens',
      {
        schema: {
          summary: 'Make a token; the answer is the only one that shows it',
          tags: ['people'],
          body: TokenCreate,
          response: { 201: TokenCreated },
        },
        config: { needs: 'tokens:write' },
      },
      async (request, reply) => {
        const { name, role, limits, expiresAt } = request.body
        const actor = actorOf(request)
        const made = await tokens.create({ name, role, limits, by: actor.who, expiresAt: expiresAt ? new Date(expiresAt) : null })
        await audit.record({
          ...actor,
          action: 'token.create',
          target: `token ${name}`,
          details: { id: made.row.id, role, limits: limitsInWords(limits) },
        })
        return reply.code(201).send({ ...viewOf(made.row), token: made.token })
      },
    )

    http.delete(
      '/v1/tokens/:token',
      {
        schema: {
          summary: 'Delete a token: it opens nothing any more',
          tags: ['people'],
          params: z.object({ token: TokenId }),
          response: { 204: z.null() },
        },
        config: { needs: 'tokens:write' },
      },
      async (request, reply) => {
        const gone = await tokens.delete(request.params.token)
        if (!gone) throw new Fault('TOKEN_UNKNOWN', { at: request.params.token })
        await audit.record({ ...actorOf(request), action: 'token.delete', target: `token ${gone.name}`, details: { id: gone.id } })
        return reply.code(204).send(null)
      },
    )
  }
