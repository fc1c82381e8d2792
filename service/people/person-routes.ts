import { PersonChange, PersonCreate, PersonCreated, PersonDetail, PersonName, PersonView, SignInView } from '@postern/protocol/api/people.ts'
import { z } from 'zod'
import type { Routes } from '../http/http-server.ts'
import { PageQuery, page, pageOf, readCursor } from '../http/paging.ts'
import { byOf, callerOf } from './actor.ts'
import type { GroupRepository } from './group-repository.ts'
import type { PersonRow } from './person-repository.ts'
import type { PersonService } from './person-service.ts'
import { viewOfSignIn } from './sign-in-routes.ts'
import type { SignInService } from './sign-in-service.ts'

const viewOf = (row: PersonRow): PersonView => ({
  id: row.id,
  name: row.name,
  displayName: row.displayName,
  email: row.email,
  role: row.role,
  disabled: row.disabled,
  password: !row.hasPassword ? 'none' : row.passwordOnce ? 'once' : 'set',
  issuer: row.issuer,
  createdAt: row.createdAt.toISOString(),
  createdBy: row.createdBy,
  signedInAt: row.signedInAt?.toISOString() ?? null,
})

const tags = ['people']
const params = z.object({ person: PersonName })

export interface PersonRouteParts {
  readonly people: PersonService
  readonly signIns: SignInService
  readonly groupsOf: GroupRepository['groupsOf']
}

export const personRoutes = (parts: PersonRouteParts): Routes => {
  const { people, signIns, groupsOf } = parts
  return async (http) => {
    http.get(
      '/v1/people',
      {
        schema: { summary: 'List the people', tags, querystring: PageQuery, response: { 200: pageOf(PersonView) } },
        config: { needs: 'people:read' },
      },
      async ({ query: { limit, cursor } }) =>
        page(await people.page(readCursor(cursor) ?? '', limit + 1), limit, ({ name }) => name, viewOf),
    )

    http.post(
      '/v1/people',
      {
        schema: {
          summary: 'Make an account; without a password the answer has one that is good for one sign-in',
          tags,
          body: PersonCreate,
          response: { 201: PersonCreated },
        },
        config: { needs: 'people:write' },
      },
      async (request, reply) => {
        const { row, oncePassword } = await people.create(request.body, byOf(request))
        return reply.code(201).send({ ...viewOf(row), ...(oncePassword === undefined ? {} : { oncePassword }) })
      },
    )

    http.get(
      '/v1/people/:person',
      { schema: { summary: 'One person', tags, params, response: { 200: PersonDetail } }, config: { needs: 'people:read' } },
      async (request) => {
        const row = await people.get(request.params.person)
        return { ...viewOf(row), groups: [...(await groupsOf(row.id))] }
      },
    )

    http.patch(
      '/v1/people/:person',
      {
        schema: {
          summary: 'Change an account; one that is disabled is signed out everywhere within a second',
          tags,
          params,
          body: PersonChange,
          response: { 200: PersonView },
        },
        config: { needs: 'people:write' },
      },
      async (request) => viewOf(await people.change(request.params.person, request.body, byOf(request))),
    )

    http.delete(
      '/v1/people/:person',
      { schema: { summary: 'Delete an account', tags, params, response: { 204: z.null() } }, config: { needs: 'people:write' } },
      async (request, reply) => {
        await people.delete(request.params.person, byOf(request))
        return reply.code(204).send(null)
      },
    )

    http.post(
      '/v1/people/:person/password',
      {
        schema: {
          summary: 'Give a new password, good for one sign-in; what was open under the old one ends',
          tags,
          params,
          response: { 200: PersonCreated },
        },
        config: { needs: 'people:write' },
      },
      async (request) => {
        const { row, oncePassword } = await people.resetPassword(request.params.person, byOf(request))
        return { ...viewOf(row), ...(oncePassword === undefined ? {} : { oncePassword }) }
      },
    )

    http.get(
      '/v1/people/:person/sign-ins',
      {
        schema: { summary: 'Where somebody is signed in', tags, params, response: { 200: z.object({ items: z.array(SignInView) }) } },
        config: { needs: 'people:read' },
      },
      async (request) => {
        const { id } = await people.get(request.params.person)
        return { items: (await signIns.list(id)).map((row) => viewOfSignIn(row, signIns.signedIn(callerOf(request))?.signIn)) }
      },
    )

    http.delete(
      '/v1/people/:person/sign-ins',
      {
        schema: { summary: 'Sign somebody out everywhere', tags, params, response: { 200: z.object({ ended: z.int() }) } },
        config: { needs: 'people:write' },
      },
      async (request) => ({ ended: await people.endSignIns(request.params.person, byOf(request)) }),
    )
  }
}
