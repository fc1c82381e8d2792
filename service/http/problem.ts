import { GatewaySettings, NodeSettings } from '@postern/protocol/api/gateways.ts'
import { FAULTS, Fault, type FaultCode, HTTP_STATUS } from '@postern/protocol/fault.ts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors, isResponseSerializationError } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { metAnother } from '../db/errors.ts'

/** RFC 9457, with the fault's own words. */
export const Problem = z.object({
  code: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  remedy: z.string(),
  requestId: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
})
export type Problem = z.infer<typeof Problem>

/** Where the kind alone does not say it well enough. */
const STATUS: Partial<Record<FaultCode, number>> = {
  TOKEN_MISSING: 401,
  TOKEN_INVALID: 401,
  SIGN_IN_REFUSED: 401,
  BODY_TOO_LARGE: 413,
  DATABASE_UNREACHABLE: 503,
}
const RETRY_AFTER_SECONDS = '1'

export const statusOf = (fault: Fault): number => STATUS[fault.code] ?? HTTP_STATUS[fault.kind]

export function problemOf(fault: Fault, requestId: string): Problem {
  const details = Object.keys(fault.details).length > 0 ? { details: fault.details } : {}
  return {
    code: fault.code,
    title: FAULTS[fault.code].says,
    status: statusOf(fault),
    detail: fault.message,
    remedy: fault.remedy,
    requestId,
    ...details,
  }
}

export function headersOf(fault: Fault): Record<string, string> {
  const status = statusOf(fault)
  return {
    'content-type': 'application/problem+json; charset=utf-8',
    ...(status === 401 ? { 'www-authenticate': 'Bearer realm="postern"' } : {}),
    ...(fault.kind === 'limit' || status === 503 ? { 'retry-after': String(fault.details['seconds'] ?? RETRY_AFTER_SECONDS) } : {}),
  }
}

/** The one place where errors become answers. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const fault = faultOf(error, request)
  if (fault.kind === 'bug')
    request.log.error({ err: fault.cause ?? error, requestId: request.id, url: request.routeOptions.url }, 'request failed')
  // Rules that the tables keep should have been looked at before: worth a look, though nobody was harmed.
  else if (fault.code === 'CHANGED_MEANWHILE')
    request.log.warn({ err: fault.cause, url: request.routeOptions.url }, 'a change lost against another one')
  else request.log.debug({ code: fault.code, at: fault.message, requestId: request.id }, 'request refused')
  return reply
    .code(statusOf(fault))
    .headers(headersOf(fault))
    .serializer((value: unknown) => JSON.stringify(value))
    .send(problemOf(fault, request.id))
}

export function faultOf(error: unknown, request: FastifyRequest): Fault {
  if (error instanceof Fault) return error
  if (hasZodFastifySchemaValidationErrors(error)) {
    const setting = error.validation.find(({ keyword, instancePath }) => keyword === 'unrecognized_keys' && instancePath === '/settings')
    if (setting) return settingUnknown(setting.params, request.url.includes('/nodes/'))
    const where = error.validationContext ?? 'body'
    const said = error.validation.map(({ instancePath, message }) => `${fieldName(where, instancePath)}: ${message ?? 'not valid'}`)
    return new Fault('INPUT_INVALID', { at: `${[...new Set(said)].slice(0, 5).join('; ')}.` })
  }
  if (isResponseSerializationError(error)) return new Fault('INTERNAL', { at: `Request ${request.id}.`, cause: error.cause })
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' && error.statusCode < 500) {
    if (error.statusCode === 413) return new Fault('BODY_TOO_LARGE', { cause: error })
    return new Fault('INPUT_INVALID', { at: error.message.split('\n')[0] ?? '', cause: error })
  }
  const fault = metAnother(error) ?? Fault.from(error)
  return fault.code === 'INTERNAL' ? new Fault('INTERNAL', { at: `Request ${request.id}.`, cause: error }) : fault
}

/** Only the settings of gateways and nodes are checked by a route's schema; those of stores by their connector. */
function settingUnknown(params: Readonly<Record<string, unknown>>, ofNode: boolean): Fault {
  const keys = Array.isArray(params['keys']) ? params['keys'].map((key) => `"${String(key)}"`).join(', ') : ''
  return new Fault('SETTING_UNKNOWN', {
    at: `${keys} is none of ${Object.keys((ofNode ? NodeSettings : GatewaySettings).shape).join(', ')}.`,
  })
}

function fieldName(where: string, instancePath: string): string {
  const path = instancePath.split('/').filter(Boolean).join('.')
  const place = where === 'querystring' ? 'query' : where
  return path === '' ? place : place === 'body' ? path : `${place} ${path}`
}
