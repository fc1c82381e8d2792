import { GroupChange, GroupCreate, GroupSummary, GroupView, PrincipalText } from '@postern/protocol/api/grants.ts'
import { Name } from '@postern/protocol/ids.ts'
import { z } from 'zod'
import type { Routes } from '../http/http-server.ts'
import { PageQuery, page, pageOf, readCursor } from '../http/paging.ts'
import { byOf } from '../rights/actor.ts'
import { type GroupService, summaryOf } from './group-service.ts'

const tags = ['people']
const params = z.object({ group: Name })
const memberParams = params.extend({ member: PrincipalText })

export const groupRoutes =
  (groups: GroupService): Routes =>
  async (http) => {
    http.get(
      '/v1/groups',
      {
        schema: { summary: 'List the groups', tags, querystring: PageQuery, response: { 200: pageOf(GroupSummary) } },
        config: { needs: 'people:read' },
      },
      async ({ query: { limit, cursor } }) =>
        page(await groups.page(readCursor(cursor) ?? '', limit + 1), limit, ({ name }) => name, summaryOf),
    )

    http.post(
      '/v1/groups',
      {
        schema: { summary: 'Make a group of people and service tokens', tags, body: GroupCreate, response: { 201: GroupView } },
        config: { needs: 'people:write' },
      },
      async (request, reply) => reply.code(201).send(await groups.create(request.body, byOf(request))),
    )

    http.get(
      '/v1/groups/:group',
      { schema: { summary: 'One group and who is in it', tags, params, response: { 200: GroupView } }, config: { needs: 'people:read' } },
      async (request) => await groups.show(request.params.group),
    )

    http.patch(
      '/v1/groups/:group',
      {
        schema: { summary: 'Describe a group', tags, params, body: GroupChange, response: { 200: GroupView } },
        config: { needs: 'people:write' },
      },
      async (request) => await groups.change(request.params.group, request.body, byOf(request)),
    )

    http.delete(
      '/v1/groups/:group',
      {
        schema: { summary: 'Delete a group, and with it what was given to it', tags, params, response: { 204: z.null() } },
        config: { needs: 'people:write' },
      },
      async (request, reply) => {
        await groups.delete(request.params.group, byOf(request))
        return reply.code(204).send(null)
      },
    )

    http.put(
      '/v1/groups/:group/members/:member',
      {
        schema: { summary: 'Put a person or a service token into a group', tags, params: memberParams, response: { 200: GroupView } },
        config: { needs: 'people:write' },
      },
      async (request) => await groups.join(request.params.group, request.params.member, byOf(request)),
    )

    http.delete(
      '/v1/groups/:group/members/:member',
      {
        schema: {
          summary: 'Take somebody out of a group; what an OpenID Connect provider says stays',
          tags,
          params: memberParams,
          response: { 204: z.null() },
        },
        config: { needs: 'people:write' },
      },
      async (request, reply) => {
        await groups.leave(request.params.group, request.params.member, byOf(request))
        return reply.code(204).send(null)
      },
    )
  }
