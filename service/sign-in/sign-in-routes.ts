import {
  PasswordChange,
  SignedIn,
  SignInRequest,
  SignInSettings,
  SignInSettingsChange,
  SignInView,
  SignInWays,
  WhoAmI,
} from '@postern/protocol/api/people.ts'
import type { OwnRights } from '@postern/protocol/api/rights.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { SignInId } from '@postern/protocol/ids.ts'
import type { FastifyRequest } from 'fastify'
import type { Kysely } from 'kysely'
import { z } from 'zod'
import type { AuditLog } from '../audit/audit-log.ts'
import type { Tables } from '../db/tables.ts'
import type { Routes } from '../http/http-server.ts'
import { actorOf, callerOf } from '../rights/actor.ts'
import type { Caller } from '../rights/caller.ts'
import { isOurs } from './same-origin.ts'
import { cookieNames, signInCookie } from './sign-in-cookie.ts'
import { SignInRepository, type SignInRow } from './sign-in-repository.ts'
import type { NewlySignedIn, Place, SignInService } from './sign-in-service.ts'

export interface SignInRouteParts {
  readonly db: Kysely<Tables>
  readonly signIns: SignInService
  readonly repository: SignInRepository
  readonly audit: AuditLog
  readonly ways: () => Promise<SignInWays>
  readonly rightsOf: (caller: Caller) => Promise<OwnRights>
  readonly publicUrl: () => string
}

export function placeOf(request: FastifyRequest): Place {
  return { address: request.ip, agent: request.headers['user-agent'] ?? '' }
}

export const viewOfSignIn = (row: SignInRow, current: SignInId | undefined): SignInView => ({
  id: row.id,
  way: row.way,
  createdAt: row.createdAt.toISOString(),
  usedAt: row.usedAt.toISOString(),
  expiresAt: row.expiresAt.toISOString(),
  address: row.address,
  agent: row.agent,
  current: row.id === current,
})

export const viewOfSignedIn = ({ person, expiresAt }: NewlySignedIn): SignedIn => ({
  name: person.name,
  displayName: person.displayName,
  role: person.role,
  expiresAt: expiresAt.toISOString(),
})

/** A person who is signed in; a token of a program has no sign-in to look at or to end. */
function personOf(request: FastifyRequest, signIns: SignInService) {
  const caller = callerOf(request)
  const person = signIns.signedIn(caller)
  if (!person) throw new Fault('SIGN_IN_UNKNOWN', { at: `${caller.name} came with a token, not by signing in.` })
  return person
}

/** Of what is read before anybody is known. */
export const STRANGERS_BYTES = 16_384

const tags = ['people']

export const signInRoutes =
  (parts: SignInRouteParts): Routes =>
  async (http) => {
    await http.register(comeAndGo(parts))
    await http.register(ownSignIns(parts))
    await http.register(settingsOfAll(parts))
  }

const comeAndGo =
  ({ signIns, ways, rightsOf, publicUrl }: SignInRouteParts): Routes =>
  async (http) => {
    http.get(
      '/v1/sign-in/ways',
      { schema: { summary: 'How one can sign in here', tags, response: { 200: SignInWays } }, config: { needs: 'none' } },
      () => ways(),
    )

    http.post(
      '/v1/sign-in',
      {
        schema: { summary: 'Sign in with name and password', tags, body: SignInRequest, response: { 200: SignedIn } },
        bodyLimit: STRANGERS_BYTES,
        config: { needs: 'none' },
      },
      async (request, reply) => {
        const { name, password, newPassword, as } = request.body
        // Else a page of another site could sign a browser in as somebody else.
        if (as === 'cookie' && !isOurs(request.method, request.headers, publicUrl())) throw new Fault('CROSS_SITE_REFUSED')
        const signedIn = await signIns.withPassword({ name, password, newPassword }, placeOf(request))
        reply.header('cache-control', 'no-store')
        if (as === 'token') return { ...viewOfSignedIn(signedIn), token: signedIn.token }
        reply.header('set-cookie', cookieOf(signedIn, publicUrl()))
        return viewOfSignedIn(signedIn)
      },
    )

    http.get(
      '/v1/sign-in',
      { schema: { summary: 'Who am I, and what may I', tags, response: { 200: WhoAmI } }, config: { needs: 'caller' } },
      async (request) => {
        const caller = callerOf(request)
        const { name, kind, role } = caller
        return { name, kind, role, signIn: signIns.signedIn(caller)?.signIn ?? null, may: await rightsOf(caller) }
      },
    )

    http.delete(
      '/v1/sign-in',
      { schema: { summary: 'Sign out', tags, response: { 204: z.null() } }, config: { needs: 'caller' } },
      async (request, reply) => {
        const person = personOf(request, signIns)
        await signIns.end(person, person.signIn, request.ip)
        reply.header('set-cookie', signInCookie(cookieNames(publicUrl()), '', 0))
        return reply.code(204).send(null)
      },
    )
  }

const ownSignIns =
  ({ signIns }: SignInRouteParts): Routes =>
  async (http) => {
    http.post(
      '/v1/sign-in/password',
      {
        schema: {
          summary: "Change one's own password; other sign-ins end",
          tags,
          body: PasswordChange,
          response: { 204: z.null() },
        },
        config: { needs: 'caller' },
      },
      async (request, reply) => {
        const { id, signIn } = personOf(request, signIns)
        await signIns.changePassword(id, request.body, signIn, placeOf(request))
        return reply.code(204).send(null)
      },
    )

    http.get(
      '/v1/sign-ins',
      {
        schema: { summary: "One's own sign-ins, newest first", tags, response: { 200: z.object({ items: z.array(SignInView) }) } },
        config: { needs: 'caller' },
      },
      async (request) => {
        const { id, signIn } = personOf(request, signIns)
        return { items: (await signIns.list(id)).map((row) => viewOfSignIn(row, signIn)) }
      },
    )

    http.delete(
      '/v1/sign-ins',
      {
        schema: {
          summary: "End one's own sign-ins; with `others` all but the one that asks",
          tags,
          querystring: z.object({ others: z.stringbool().default(false) }),
          response: { 200: z.object({ ended: z.int() }) },
        },
        config: { needs: 'caller' },
      },
      async (request) => {
        const person = personOf(request, signIns)
        return { ended: await signIns.endAll(person, request.query.others ? person.signIn : undefined, request.ip) }
      },
    )

    http.delete(
      '/v1/sign-ins/:signIn',
      {
        schema: {
          summary: "End one of one's own sign-ins",
          tags,
          params: z.object({ signIn: SignInId }),
          response: { 204: z.null() },
        },
        config: { needs: 'caller' },
      },
      async (request, reply) => {
        await signIns.end(personOf(request, signIns), request.params.signIn, request.ip)
        return reply.code(204).send(null)
      },
    )
  }

const settingsOfAll =
  ({ db, repository, audit }: SignInRouteParts): Routes =>
  async (http) => {
    http.get(
      '/v1/sign-in/settings',
      { schema: { summary: 'How long sign-ins last', tags, response: { 200: SignInSettings } }, config: { needs: 'people:read' } },
      () => repository.settings(),
    )

    http.patch(
      '/v1/sign-in/settings',
      {
        schema: {
          summary: 'Change how long sign-ins last; a shorter time ends those that are older at once',
          tags,
          body: SignInSettingsChange,
          response: { 200: SignInSettings },
        },
        config: { needs: 'people:write' },
      },
      async (request) => {
        const { idleSeconds, lifeSeconds } = request.body
        const details = { ...(idleSeconds === undefined ? {} : { idleSeconds }), ...(lifeSeconds === undefined ? {} : { lifeSeconds }) }
        await db.transaction().execute(async (transaction) => {
          await new SignInRepository(transaction).setSettings(request.body)
          await audit.record({ ...actorOf(request), action: 'sign-in.settings', target: 'sign-ins', details }, transaction)
        })
        return await repository.settings()
      },
    )
  }

/** Of the longest time that it may last; that it was idle is for the service to see. */
const LONGEST_SECONDS = 31_536_000
export const cookieOf = ({ token }: NewlySignedIn, publicUrl: string): string =>
  signInCookie(cookieNames(publicUrl), token, LONGEST_SECONDS)
