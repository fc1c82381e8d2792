import { Fault } from '@postern/protocol/fault.ts'
import { TokenId } from '@postern/protocol/ids.ts'
import { z } from 'zod'
import type { AuditLog } from '../audit/audit-log.ts'
import type { Routes } from '../http/http-server.ts'
import { PageQuery, page, pageOf, readCursor } from '../http/paging.ts'
import { actorOf } from './actor.ts'
import type { TokenRepository, TokenRow } from './token-repository.ts'
import type { TokenService } from './token-service.ts'

const RoleName = z.enum(['administrator', 'operator', 'user', 'reader'])
const TokenView = z.object({
  id: TokenId,
  name: z.string(),
  role: RoleName,
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
  expiresAt: z.iso.datetime().nullable(),
})
const TokenCreate = z.strictObject({
  name: z.string().min(1).max(63),
  role: RoleName,
  expiresAt: z.iso.datetime().optional(),
})
/** The only answer that holds the token. */
const TokenCreated = TokenView.extend({ token: z.string() })

const viewOf = ({ id, name, role, createdAt, createdBy, expiresAt }: TokenRow): z.infer<typeof TokenView> => ({
  id,
  name,
  role,
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
        const { name, role, expiresAt } = request.body
        const actor = actorOf(request)
        const made = await tokens.create({ name, role, by: actor.who, expiresAt: expiresAt ? new Date(expiresAt) : null })
        await audit.record({ ...actor, action: 'token.create', target: `token ${name}`, details: { id: made.row.id, role } })
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
