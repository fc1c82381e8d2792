import { GrantCreate, GrantView, PlaceText, PrincipalText } from '@postern/protocol/api/grants.ts'
import { GrantId } from '@postern/protocol/ids.ts'
import { z } from 'zod'
import type { Routes } from '../http/http-server.ts'
import { PageQuery, page, pageOf, readCursor } from '../http/paging.ts'
import { byOf, callerOf } from './actor.ts'
import { type GrantService, viewOf } from './grant-service.ts'

const tags = ['people']
const GrantList = PageQuery.extend({
  to: PrincipalText.optional().meta({ description: 'Only what was given to this person, group or token itself' }),
  on: PlaceText.optional().meta({ description: 'Only on this place; of a gateway with its stores' }),
})

export const grantRoutes =
  (grants: GrantService): Routes =>
  async (http) => {
    http.get(
      '/v1/grants',
      {
        schema: {
          summary: 'Who has which role where: on what one may give roles on, and what one has oneself',
          tags,
          querystring: GrantList,
          response: { 200: pageOf(GrantView) },
        },
        config: { needs: 'grants:read', on: 'inside' },
      },
      async (request) => {
        const { limit, cursor, ...wanted } = request.query
        const rows = await grants.page(wanted, callerOf(request), readCursor(cursor) ?? '', limit + 1)
        return page(rows, limit, ({ id }) => id, viewOf)
      },
    )

    http.post(
      '/v1/grants',
      {
        schema: {
          summary: 'Give a role; none that allows more there than one may oneself',
          description: 'Needs `grants:write` on the place. What was given before is answered the same way.',
          tags,
          body: GrantCreate,
          response: { 201: GrantView },
        },
        config: { needs: 'grants:write', on: 'inside' },
      },
      async (request, reply) => reply.code(201).send(await grants.give(request.body, byOf(request))),
    )

    http.delete(
      '/v1/grants/:grant',
      {
        schema: {
          summary: 'Take a role away; none that allows more there than one may oneself',
          description: 'Needs `grants:write` on the place.',
          tags,
          params: z.object({ grant: GrantId }),
          response: { 204: z.null() },
        },
        config: { needs: 'grants:write', on: 'inside' },
      },
      async (request, reply) => {
        await grants.take(request.params.grant, byOf(request))
        return reply.code(204).send(null)
      },
    )
  }
