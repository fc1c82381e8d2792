import { systemClock } from '@postern/base/clock.ts'
import { silentLog } from '@postern/base/log.ts'
import { systemRandom } from '@postern/base/random.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { TokenId } from '@postern/protocol/ids.ts'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { Caller } from '../rights/caller.ts'
import { HttpServer, type Routes } from './http-server.ts'
import type { Doorkeeper } from './needs.ts'

const doorkeeper: Doorkeeper = {
  caller: (authorization) => {
    if (!authorization) throw new Fault('TOKEN_MISSING')
    return new Caller({ id: 'tok_1' as TokenId, kind: 'token', name: 'ann', role: 'reader' })
  },
  check: (caller, permission, place) => {
    if (place !== 'gateway/open') caller.need(permission)
  },
  node: () => Promise.reject(new Fault('NODE_PROOF_INVALID')),
}

function serverOf(routes: readonly Routes[], port = 0): HttpServer & AsyncDisposable {
  const parts = { host: '127.0.0.1', port, tls: undefined, doorkeeper, log: silentLog, clock: systemClock, random: systemRandom, routes }
  const server = new HttpServer(parts)
  return Object.assign(server, { [Symbol.asyncDispose]: () => server.stop() })
}

const routes: Routes = async (http) => {
  http.get('/open', { schema: {}, config: { needs: 'none' } }, () => ({ ok: true }))
  http.get('/read', { schema: {}, config: { needs: 'gateways:read' } }, (request) => ({ caller: request.caller?.name }))
  http.get('/write', { schema: {}, config: { needs: 'gateways:write' } }, () => ({}))
  http.post('/body', { schema: { body: z.strictObject({ name: z.string(), age: z.int() }) }, config: { needs: 'none' } }, () => ({}))
  http.get('/bug', { schema: {}, config: { needs: 'none' } }, () => {
    throw new Error('secret detail of the inside')
  })
  http.get('/limit', { schema: {}, config: { needs: 'none' } }, () => {
    throw new Fault('GATEWAY_AT_LIMIT')
  })
  http.post('/node', { schema: {}, config: { needs: 'node' } }, () => ({}))
}

test('a route that does not say what it needs does not start the server', async () => {
  await using server = serverOf([
    async (http) => {
      http.get('/forgotten', () => ({}))
    },
  ])

  await expect(server.start()).rejects.toThrow('GET /forgotten does not say what it needs')
})

test('a port that is taken is a fault that names it', async () => {
  await using first = serverOf([routes])
  await first.start()
  const port = Number(new URL(first.url).port)
  await using second = serverOf([routes], port)

  await expect(second.start()).rejects.toMatchObject({ code: 'PORT_TAKEN', message: expect.stringContaining(`127.0.0.1:${port}`) })
})

const json = { 'content-type': 'application/json' }
test.each([
  ['GET', '/open', undefined, {}, 200, undefined, undefined],
  ['GET', '/read', undefined, {}, 401, 'TOKEN_MISSING', undefined],
  ['GET', '/read', undefined, { authorization: 'Bearer x' }, 200, undefined, undefined],
  ['GET', '/write', undefined, { authorization: 'Bearer x' }, 403, 'NOT_ALLOWED', 'It needs gateways:write, which ann has not got.'],
  ['POST', '/node', '{}', json, 403, 'NODE_PROOF_INVALID', undefined],
  ['GET', '/nowhere', undefined, {}, 404, 'ROUTE_UNKNOWN', 'GET /nowhere'],
  ['POST', '/body', '{"name":"x"}', json, 400, 'INPUT_INVALID', 'age: '],
  ['POST', '/body', '{"name":"x","age":1,"more":1}', json, 400, 'INPUT_INVALID', '"more"'],
  ['POST', '/body', '{"name":', json, 400, 'INPUT_INVALID', undefined],
  ['POST', '/body', '{"__proto__":{"a":1}}', json, 400, 'INPUT_INVALID', undefined],
  ['POST', '/body', 'name=x', { 'content-type': 'text/csv' }, 400, 'INPUT_INVALID', undefined],
  ['POST', '/body', `{"name":"${'x'.repeat(1 << 20)}"}`, json, 413, 'BODY_TOO_LARGE', undefined],
  ['GET', '/bug', undefined, {}, 500, 'INTERNAL', undefined],
  ['GET', '/limit', undefined, {}, 429, 'GATEWAY_AT_LIMIT', undefined],
] as const)('%s %s with %.40s is answered well', async (method, path, body, headers, status, code, says) => {
  await using server = serverOf([routes])
  await server.start()

  const response = await fetch(server.url + path, { method, headers, ...(body === undefined ? {} : { body }) })
  const answer = (await response.json()) as Record<string, unknown>

  expect([response.status, answer['code']]).toEqual([status, code])
  if (code === undefined) return
  expect(response.headers.get('content-type')).toContain('application/problem+json')
  expect(answer).toMatchObject({ status, title: expect.any(String), remedy: expect.any(String), requestId: expect.stringMatching(/^req_/) })
  expect(JSON.stringify(answer)).not.toMatch(/secret detail|node_modules|at Object/)
  if (says) expect(answer['detail']).toContain(says)
  expect(response.headers.get('www-authenticate') !== null).toBe(status === 401)
  expect(response.headers.get('retry-after') !== null).toBe(status === 429)
})
