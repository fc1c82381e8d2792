import { TokenCreate, TokenCreated, TokenView } from '@postern/protocol/api/tokens.ts'
import { TokenId } from '@postern/protocol/ids.ts'
import { z } from 'zod'
import type { Routes } from '../http/http-server.ts'
import { PageQuery, page, pageOf, readCursor } from '../http/paging.ts'
import { byOf, callerOf } from '../rights/actor.ts'
import type { TokenIssue } from './token-issue.ts'
import type { TokenRow } from './token-repository.ts'

const tags = ['people']

const viewOf = ({ id, name, role, roles, ownerId, owner, limits, createdAt, createdBy, expiresAt }: TokenRow): TokenView => ({
  id,
  name,
  role,
  roles: roles.map(({ role, on }) => ({ role, on })),
  owner: ownerId === null ? null : `person/${owner ?? ownerId}`,
  limits,
  createdAt: createdAt.toISOString(),
  createdBy,
  expiresAt: expiresAt?.toISOString() ?? null,
})

export const tokenRoutes =
  (tokens: TokenIssue): Routes =>
  async (http) => {
    http.get(
      '/v1/tokens',
      {
        schema: {
          summary: "List the tokens: all with `tokens:read`, else one's own",
          tags,
          querystring: PageQuery,
          response: { 200: pageOf(TokenView) },
        },
        config: { needs: 'caller' },
      },
      async (request) => {
        const { limit, cursor } = request.query
        return page(await tokens.page(callerOf(request), readCursor(cursor) ?? '', limit + 1), limit, ({ id }) => id, viewOf)
      },
    )

    http.post(
      '/v1/tokens',
      {
        schema: {
          summary: 'Make a token; the answer is the only one that shows it',
          description:
            'A service token needs `tokens:write`. With `forMe` it is a token of one’s own, which can never do more than oneself.',
          tags,
          body: TokenCreate,
          response: { 201: TokenCreated },
        },
        config: { needs: 'caller' },
      },
      async (request, reply) => {
        const { row, token } = await tokens.create(request.body, byOf(request))
        return reply.code(201).send({ ...viewOf(row), token })
      },
    )

    http.delete(
      '/v1/tokens/:token',
      {
        schema: {
          summary: "Delete a token: it opens nothing any more. Needs `tokens:write` where it is not one's own",
          tags,
          params: z.object({ token: TokenId }),
          response: { 204: z.null() },
        },
        config: { needs: 'caller' },
      },
      async (request, reply) => {
        await tokens.delete(request.params.token, byOf(request))
        return reply.code(204).send(null)
      },
    )
  }
