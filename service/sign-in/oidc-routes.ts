import { OidcHandover, OidcProvider, OidcProviderView } from '@postern/protocol/api/oidc.ts'
import { SignedIn } from '@postern/protocol/api/people.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { Name } from '@postern/protocol/ids.ts'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { Kysely } from 'kysely'
import { z } from 'zod'
import type { AuditLog } from '../audit/audit-log.ts'
import type { Tables } from '../db/tables.ts'
import type { Routes } from '../http/http-server.ts'
import { faultOf, sendProblem, statusOf } from '../http/problem.ts'
import { checkMayGive } from '../people/person-roles.ts'
import { actorOf, callerOf } from '../rights/actor.ts'
import { sendPage } from './oidc-page.ts'
import { OidcRepository, type ProviderRow } from './oidc-repository.ts'
import type { Finished, OidcService } from './oidc-service.ts'
import { cookieNames, flowCookie, readCookie } from './sign-in-cookie.ts'
import { cookieOf, placeOf, STRANGERS_BYTES, viewOfSignedIn } from './sign-in-routes.ts'

const FLOW_SECONDS = 900
const tags = ['people']
const params = z.object({ provider: Name })

export interface OidcRouteParts {
  readonly db: Kysely<Tables>
  readonly oidc: OidcService
  readonly repository: OidcRepository
  readonly audit: AuditLog
  readonly publicUrl: () => string
}

export const oidcRoutes =
  (parts: OidcRouteParts): Routes =>
  async (http) => {
    await http.register(providers(parts))
    await http.register(wayThrough(parts))
    await http.register(handover(parts))
  }

const providers =
  ({ db, oidc, repository, audit }: OidcRouteParts): Routes =>
  async (http) => {
    const viewOf = ({ createdAt, ...row }: ProviderRow): OidcProviderView => ({
      ...row,
      redirectUri: oidc.redirectUri(row.name),
      createdAt: createdAt.toISOString(),
    })

    http.get(
      '/v1/oidc',
      {
        schema: { summary: 'List the OpenID Connect providers', tags, response: { 200: z.object({ items: z.array(OidcProviderView) }) } },
        config: { needs: 'people:read' },
      },
      async () => ({ items: (await repository.list()).map(viewOf) }),
    )

    http.get(
      '/v1/oidc/:provider',
      {
        schema: { summary: 'One OpenID Connect provider', tags, params, response: { 200: OidcProviderView } },
        config: { needs: 'people:read' },
      },
      async (request) => {
        const { provider } = request.params
        const row = await repository.find(provider)
        if (!row) throw new Fault('OIDC_PROVIDER_UNKNOWN', { at: provider })
        return viewOf(row)
      },
    )

    http.put(
      '/v1/oidc/:provider',
      {
        schema: {
          summary: 'Set up an OpenID Connect provider, or change all of one',
          tags,
          params,
          body: OidcProvider,
          response: { 200: OidcProviderView },
        },
        config: { needs: 'people:write' },
      },
      async (request) => {
        const { provider } = request.params
        const { defaultRole, roles, issuer, clientId } = request.body
        const given = [...Object.values(roles), ...(defaultRole === 'refuse' ? [] : [defaultRole])]
        for (const role of new Set(given)) checkMayGive(callerOf(request), role)
        const row = await db.transaction().execute(async (transaction) => {
          const entry = { ...actorOf(request), action: 'oidc.set', target: `oidc ${provider}`, details: { issuer, clientId } }
          await audit.record(entry, transaction)
          return await new OidcRepository(transaction).put(provider, request.body)
        })
        return viewOf(row)
      },
    )

    http.delete(
      '/v1/oidc/:provider',
      {
        schema: {
          summary: 'Take an OpenID Connect provider away; its people stay, and cannot sign in',
          tags,
          params,
          response: { 204: z.null() },
        },
        config: { needs: 'people:write' },
      },
      async (request, reply) => {
        const { provider } = request.params
        await db.transaction().execute(async (transaction) => {
          if (!(await new OidcRepository(transaction).delete(provider))) throw new Fault('OIDC_PROVIDER_UNKNOWN', { at: provider })
          await audit.record({ ...actorOf(request), action: 'oidc.delete', target: `oidc ${provider}` }, transaction)
        })
        return reply.code(204).send(null)
      },
    )
  }

const Start = z.object({
  back: z.string().max(1_000).optional().meta({ description: 'The path to go to afterwards' }),
  port: z.coerce.number().int().min(1_024).max(65_535).optional().meta({ description: 'Of a command line that waits on 127.0.0.1' }),
  state: z
    .string()
    .regex(/^[A-Za-z0-9_-]{16,128}$/)
    .optional(),
  challenge: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/)
    .optional()
    .meta({ description: 'S256 of the verifier that the command line keeps' }),
})

/** For browsers, so what goes wrong is a page too. */
const wayThrough =
  ({ oidc, publicUrl }: OidcRouteParts): Routes =>
  async (http) => {
    http.setErrorHandler(sendTrouble)

    http.get(
      '/v1/oidc/:provider/start',
      { schema: { summary: 'Go to the provider to sign in', tags, params, querystring: Start }, config: { needs: 'none' } },
      async (request, reply) => {
        const { back, port, state, challenge } = request.query
        const loopback = port === undefined || state === undefined || challenge === undefined ? undefined : { port, state, challenge }
        if (!loopback && (port ?? state ?? challenge) !== undefined)
          throw new Fault('INPUT_INVALID', { at: 'query: port, state and challenge go together.' })
        const { location, secret } = await oidc.begin(request.params.provider, back, loopback, request.ip)
        reply.header('set-cookie', flowCookie(cookieNames(publicUrl()), secret, FLOW_SECONDS)).header('cache-control', 'no-store')
        return reply.redirect(location)
      },
    )

    http.get(
      '/v1/oidc/:provider/callback',
      { schema: { summary: 'Where the provider sends people back to', tags, params }, config: { needs: 'none' } },
      async (request, reply) => {
        const names = cookieNames(publicUrl())
        const at = request.url.indexOf('?')
        const finished = await oidc.finish({
          provider: request.params.provider,
          search: at < 0 ? '' : request.url.slice(at),
          secret: readCookie(request.headers.cookie, names.flow),
          place: placeOf(request),
        })
        const gone = flowCookie(names, '', 0)
        reply.header('set-cookie', finished.to === 'browser' ? [gone, cookieOf(finished.signedIn, publicUrl())] : [gone])
        return sendEnd(reply, finished)
      },
    )
  }

function sendEnd(reply: FastifyReply, finished: Finished): FastifyReply {
  if (finished.to === 'browser') {
    const { back, signedIn } = finished
    const link = { to: back, text: 'Continue' }
    return sendPage(reply, 200, { title: 'Signed in', paragraphs: [`You are signed in as ${signedIn.person.name}.`], onTo: back, link })
  }
  return sendPage(reply, 200, {
    title: 'Sign in the command line?',
    paragraphs: [
      `A program on this computer wants to act as ${finished.name}. Go on only if you have just called "postern login", and it shows the same letters:`,
    ],
    compare: finished.compare,
    link: { to: finished.link, text: 'That is me: sign it in' },
    small: 'Else close this page: nothing has happened.',
  })
}

function sendTrouble(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!(request.headers.accept ?? '').includes('text/html')) return sendProblem(error, request, reply)
  const fault = faultOf(error, request)
  if (fault.kind === 'bug')
    request.log.error({ err: fault.cause ?? error, requestId: request.id, url: request.routeOptions.url }, 'request failed')
  return sendPage(reply, statusOf(fault), {
    title: 'Not signed in',
    paragraphs: [fault.message, fault.remedy],
    link: { to: '/', text: 'Back to the sign-in' },
    small: `${fault.code} · ${request.id}`,
  })
}

const handover =
  ({ oidc }: OidcRouteParts): Routes =>
  async (http) => {
    http.post(
      '/v1/sign-in/handover',
      {
        schema: {
          summary: 'What the browser brought to the command line becomes its sign-in',
          tags,
          body: OidcHandover,
          response: { 200: SignedIn },
        },
        bodyLimit: STRANGERS_BYTES,
        config: { needs: 'none' },
      },
      async (request, reply) => {
        const signedIn = await oidc.redeem(request.body, placeOf(request))
        reply.header('cache-control', 'no-store')
        return { ...viewOfSignedIn(signedIn), token: signedIn.token }
      },
    )
  }
