/** Before anybody is known, everything that comes is hostile: whatever it is, it gets an answer, and not one that tells or breaks something. */
import { Agent, request } from 'node:http'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LocalService } from '../testing/local-service.ts'

const RUNS = 10_000
const AT_A_TIME = 32
const TIMEOUT_MS = 240_000
const MARK = 'mark-of-a-secret-4711'
const LEAKS = /node_modules|\.ts:\d|at \w+ \(|argon2|postgres|kysely|select |insert |stack/i

let service: LocalService
const agent = new Agent({ keepAlive: true, maxSockets: AT_A_TIME })

beforeAll(async () => {
  service = await LocalService.start()
  await service.api('POST', '/v1/people', { name: 'ann', role: 'user', password: 'four words that stay' })
  await service.api('PUT', '/v1/oidc/acme', { issuer: 'http://127.0.0.1:9', clientId: 'postern', allowDomains: ['*'] })
})

afterAll(async () => {
  agent.destroy()
  await service?.[Symbol.asyncDispose]()
})

interface Sent {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

interface Answer {
  readonly status: number
  readonly body: string
}

/** From many addresses: one alone would soon have to wait, and not be looked at. */
function send({ method, path, headers, body }: Sent, from: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(
      { host: '127.0.0.1', port: new URL(service.url).port, method, path, headers, agent, localAddress: from },
      (response) => {
        let text = ''
        response.on('data', (chunk) => (text += String(chunk)))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
      },
    )
    call.on('error', reject)
    call.end(body)
  })
}

const text = fc.oneof(
  fc.string({ maxLength: 300 }),
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.constantFrom(
    '',
    'ann',
    'ANN ',
    'ann\u0000',
    '\u0000',
    '../../etc/passwd',
    "' or 1=1 --",
    '$argon2id$v=19$m=1,t=1,p=1$AAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAA',
    '__proto__',
    '\ud800',
    'a'.repeat(5_000),
  ),
)
const value: fc.Arbitrary<unknown> = fc.oneof({ weight: 4, arbitrary: text }, fc.jsonValue(), fc.constantFrom(null, 0, true, [], {}))
const json = { 'content-type': 'application/json' }

/** Bodies that are nearly right, bodies that are not, bytes that are no JSON, under types that are and are not announced. */
const body = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .record({ name: value, password: fc.oneof(text, fc.constant(MARK)), newPassword: value, as: value }, { requiredKeys: [] })
      .map((one) => JSON.stringify(one)),
  },
  { weight: 2, arbitrary: fc.jsonValue().map((one) => JSON.stringify(one)) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 400 }) },
  fc.constantFrom('{', '{"name":', '[[[[', '{"__proto__":{"name":"ann"},"password":"x"}', '{"name":"ann","name":"eve","password":"x"}'),
)
const headers = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ ...json }) },
  fc.constantFrom<Record<string, string>>(
    {},
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/x-www-form-urlencoded' },
    { ...json, 'content-encoding': 'gzip' },
    { ...json, cookie: 'postern=pts_x; postern=y' },
    { ...json, authorization: `Bearer pts_${MARK}` },
  ),
)
const header = fc.string({ maxLength: 100 }).map((one) => one.replace(/[^\x20-\x7e]/g, ''))
const query = fc.dictionary(
  fc.oneof(fc.constantFrom('state', 'code', 'iss', 'error', 'port', 'challenge', 'back'), fc.string({ maxLength: 20 })),
  text,
  { maxKeys: 8 },
)
const search = fc.oneof(
  query.map((one) => `?${new URLSearchParams(one)}`),
  fc.string({ maxLength: 100 }).map((one) => `?${one.replace(/[^\x21-\x7e]/g, '%')}`),
)
const asked = fc.oneof(
  { weight: 5, arbitrary: fc.record({ method: fc.constant('POST'), path: fc.constant('/v1/sign-in'), headers, body }) },
  {
    weight: 1,
    arbitrary: fc.record({
      method: fc.constant('POST'),
      path: fc.constant('/v1/sign-in/handover'),
      headers,
      body: fc.oneof(
        body,
        fc.record({ code: value, verifier: value }).map((one) => JSON.stringify(one)),
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      method: fc.constant('GET'),
      path: fc
        .tuple(
          fc.constantFrom('/v1/oidc/acme/callback', '/v1/oidc/acme/start', '/v1/oidc/nobody/callback', '/v1/oidc/%00/callback'),
          search,
        )
        .map(([path, behind]) => path + behind),
      headers: fc.record({
        accept: fc.constantFrom('text/html', '*/*'),
        cookie: fc.oneof(
          header,
          header.map((one) => `postern-oidc=${one}`),
        ),
      }),
      body: fc.constant(''),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      method: fc.constantFrom('GET', 'DELETE'),
      path: fc.constantFrom('/v1/sign-in', '/v1/sign-ins', '/v1/sign-ins/sgn_x', '/v1/people'),
      headers: fc.oneof(
        header.map((one) => ({ authorization: one })),
        header.map((one) => ({ cookie: one })),
        header.map((one) => ({ cookie: `postern=${one}` })),
      ),
      body: fc.constant(''),
    }),
  },
)

test(`sign-in survives ${RUNS} malformed inputs: no crash, no leak, no 500, nobody let in`, { timeout: TIMEOUT_MS }, async () => {
  const inputs = fc.sample(asked, { numRuns: RUNS, seed: 20_261_122 })
  const seen = new Map<number, number>()
  let next = 0
  const work = async () => {
    for (let at = next++; at < inputs.length; at = next++) {
      const input = inputs[at]
      if (!input) return
      const { status, body } = await send(input, `127.${1 + (at % 250)}.${Math.floor(at / 250)}.1`)
      seen.set(status, (seen.get(status) ?? 0) + 1)
      const about = `${JSON.stringify(input)}\n${status} ${body}`
      // 502: the provider of this test is not there. 200 is an answer to nobody.
      expect([302, 400, 401, 403, 404, 413, 415, 429, 502], about).toContain(status)
      expect(body, about).not.toMatch(LEAKS)
      expect(body, about).not.toContain(MARK)
    }
  }

  await Promise.all(Array.from({ length: AT_A_TIME }, work))

  expect([...seen.values()].reduce((sum, count) => sum + count, 0)).toBe(RUNS)
  // Enough of them got as far as the password.
  expect(seen.get(401) ?? 0).toBeGreaterThan(RUNS / 20)
  const still = await send(
    { method: 'POST', path: '/v1/sign-in', headers: json, body: JSON.stringify({ name: 'ann', password: 'four words that stay' }) },
    '127.0.0.1',
  )
  expect([still.status, (await service.fetch('GET', '/readyz')).status], still.body).toEqual([200, 200])
  const audit = await service.database.query(`select details, who, target from audit`)
  expect(JSON.stringify(audit)).not.toContain(MARK)
})
