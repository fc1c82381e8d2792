import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CONNECTORS } from '@postern/connectors/registry.ts'
import { expect, test } from 'vitest'
import { problem, serving, world } from './testing/world.ts'

test.each([
  [['gatewey', 'list'], 'unknown command'],
  [['gateway'], 'one of create, list, show, set, keys, rotate-key, trust, forget-recovery-key, delete'],
  [['gateway', 'list', '--wrong'], "unknown option '--wrong'"],
  [['query', 'shop'], "missing required argument 'SQL'"],
  [['store', 'create', 'shop', '--kind', 'postgres'], '--gateway'],
  [['copy', 'a', 'b', '--from', 'x', '--to', 'y', '--parts', 'many'], '--parts must be a whole number'],
  [['copy', 'a', 'b', '--from', 'x', '--to', 'y', '--mode', 'merge'], 'append, overwrite, upsert'],
  [['service', 'start', '--port', '70000'], '--port must be a whole number from 0 to 65535'],
  [['node', 'show', 'demo'], 'GATEWAY/NODE'],
  [['gateway', 'set', 'demo', 'cpuPercentage=3'], 'is none of policy, cpuPercent'],
  [['gateway', 'set', 'demo', 'cpuPercent=101'], 'cpuPercent=101'],
  [['gateway', 'set', 'demo', 'cpuPercent'], 'KEY=VALUE'],
  [['store', 'create', 's', '--gateway', 'g', '--kind', 'oracle'], 'is none of postgres, '],
  [['store', 'create', 's', '--gateway', 'g', '--kind', 'postgres', '--set', 'hots=db'], '"hots" of kind postgres is none of host'],
  [['store', 'create', 's', '--gateway', 'g', '--kind', 'files', '--secret', 'password=x'], 'kind files has no secrets'],
])('%j is refused with exit code 2, one line and a remedy', async (argv, says) => {
  await using place = await world()

  const { code, stdout, stderr } = await place.run(argv)

  expect(code).toBe(2)
  expect(stdout).toBe('')
  expect(stderr).toContain(says)
  expect(stderr).toMatch(/^error: [^\n]+\nremedy: [^\n]+\n$/)
})

test('the help of `store create` names every kind of store', async () => {
  await using place = await world()

  const { stdout } = await place.run(['store', 'create', '--help'])

  for (const kind of CONNECTORS.keys()) expect(stdout).toContain(kind)
})

test('a secret given with --set is refused before anything is sent, and is not repeated', async () => {
  await using place = await world()

  const { code, stderr } = await place.run(['store', 'create', 's', '--gateway', 'g', '--kind', 'postgres', '--set', 'password=hunter2'])

  expect(code).toBe(2)
  expect(stderr).toContain('--secret')
  expect(stderr).not.toContain('hunter2')
})

test('without a token the exit code is that of a denial', async () => {
  await using place = await world()

  const { code, stderr } = await place.run(['gateway', 'list'])

  expect(code).toBe(4)
  expect(stderr).toContain('POSTERN_TOKEN')
})

test('a service that is not there is unreachable, exit code 5', async () => {
  await using place = await world()

  const { code, stderr } = await place.run(['gateway', 'list'], { POSTERN_URL: 'http://127.0.0.1:9', POSTERN_TOKEN: 't' })

  expect(code).toBe(5)
  expect(stderr).toMatch(/^error: The service did not answer\. http:\/\/127\.0\.0\.1:9: [^\n]*ECONNREFUSED/)
})

test('a service that speaks plain HTTP where TLS was asked for is said to do so', async () => {
  await using place = await world()
  await using server = await serving(() => ({ body: {} }))

  const { code, stderr } = await place.run(['gateway', 'list'], { POSTERN_URL: server.url.replace('http:', 'https:'), POSTERN_TOKEN: 't' })

  expect(code).toBe(5)
  expect(stderr).toMatch(/^error: [^\n]*is it http:\/\/ and not https:\/\/\?[^\n]*\nremedy: /)
})

test('what answers but is no service is said so', async () => {
  await using place = await world()
  await using server = await serving(() => ({ status: 404, type: 'text/html', body: '<h1>404</h1>' }))

  const { code, stderr } = await place.run(['gateway', 'list'], server.env)

  expect(code).toBe(5)
  expect(stderr).toContain('is not a Postern service')
})

test.each([
  [404, 'GATEWAY_UNKNOWN', 3],
  [409, 'GATEWAY_EXISTS', 1],
  [403, 'NOT_ALLOWED', 4],
  [429, 'GATEWAY_AT_LIMIT', 6],
  [400, 'INPUT_INVALID', 2],
  [500, 'INTERNAL', 1],
])('a problem of status %i and code %s ends with exit code %i', async (status, problemCode, exitCode) => {
  await using place = await world()
  await using server = await serving(() => problem(status, problemCode, 'What and where.'))

  const { code, stderr } = await place.run(['gateway', 'show', 'demo'], server.env)

  expect(code).toBe(exitCode)
  expect(stderr).toContain('error: What and where.\nremedy: Do this.\n')
})

test('with --json a fault is one line of JSON on stderr', async () => {
  await using place = await world()
  await using server = await serving(() => problem(404, 'GATEWAY_UNKNOWN', 'There is none.'))

  const { stdout, stderr } = await place.run(['gateway', 'show', 'demo', '--json'], server.env)

  expect(stdout).toBe('')
  expect(JSON.parse(stderr)).toMatchObject({ code: 'GATEWAY_UNKNOWN', message: 'There is none.', remedy: 'Do this.' })
})

test('login asks, tries and keeps the token where only its owner can read it; it goes to that service only', async () => {
  await using place = await world()
  await using server = await serving(() => ({ body: { items: [], nextCursor: null } }))
  await using other = await serving(() => ({ body: { items: [], nextCursor: null } }))

  const login = await place.run(['login', server.url], {}, 'token-2\n')
  const list = await place.run(['gateway', 'list', '--json'])
  const elsewhere = await place.run(['gateway', 'list'], { POSTERN_URL: other.url })

  expect([login.code, list.code, elsewhere.code]).toEqual([0, 0, 4])
  expect(server.requests.map((request) => request.authorization)).toEqual(['Bearer token-2', 'Bearer token-2'])
  expect(other.requests).toEqual([])
  const file = join(place.folder, 'postern', 'login.json')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ url: server.url, token: 'token-2' })
})

test('settings are sent as the kind that the API takes', async () => {
  await using place = await world()
  await using server = await serving(() => ({ body: { settings: {} } }))

  await place.run(['gateway', 'set', 'demo', 'cpuPercent=80', 'queryConcurrency=auto', 'proxyUrl=', '--json'], server.env)

  expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({ settings: { cpuPercent: 80, queryConcurrency: 'auto', proxyUrl: '' } })
})

const PUBLIC_KEYS = ['xXqSKLHoIUqmU7HdQFS5yjxg3tF1aY_QOgIXuYpLPFk', 'Pl8adKoLK9qAUN1fXPsxX7VRCQ3CxBBUk0e4-a1rODk']

test('a secret leaves the machine sealed only, and only to the key that was seen first', async () => {
  await using place = await world()
  let publicKey = PUBLIC_KEYS[0]
  await using server = await serving((request) =>
    request.method === 'GET' ? { body: { id: 'gw_0123456789abcdefghij', name: 'g', publicKey } } : { status: 201, body: { name: 's' } },
  )
  const create = (...more: string[]) =>
    place.run(
      ['store', 'create', 's', '--gateway', 'g', '--kind', 'postgres', '--set', 'host=db', '--secret', 'password=env:PW', ...more],
      { ...server.env, PW: 'hunter2' },
    )

  const first = await create()
  publicKey = PUBLIC_KEYS[1]
  const changed = await create()
  const accepted = await create('--accept-new-fingerprint')
  const again = await create()

  expect([first.code, changed.code, accepted.code, again.code]).toEqual([0, 4, 0, 0])
  expect(first.stderr).toContain('compare it with the one on a node')
  expect(changed.stderr).toContain('Nothing was sent')
  expect(accepted.stderr).toContain('WARNING')
  expect(again.stderr).toBe('')
  const posted = server.requests.filter((request) => request.method === 'POST')
  expect(posted).toHaveLength(3)
  for (const { body } of posted) {
    expect(body).not.toContain('hunter2')
    expect(JSON.parse(body)).toMatchObject({
      settings: { host: 'db' },
      secrets: ['password'],
      sealed: expect.stringMatching(/^[\w-]{43}\.[\w-]+$/),
    })
  }
})

test('a key of a gateway that is the one known already needs no comparing', async () => {
  await using place = await world()
  await using server = await serving(() => ({ body: { id: 'gw_0123456789abcdefghij', name: 'g', publicKey: PUBLIC_KEYS[0] } }))
  const trust = () => place.run(['gateway', 'trust', 'g'], server.env)
  const fingerprint = /the service says +(.+)/.exec((await trust()).stdout)?.[1] ?? ''
  await place.run(['gateway', 'trust', 'g', '--fingerprint', fingerprint], server.env)

  const again = await trust()

  expect(again).toMatchObject({ code: 0, stdout: `This machine knows that key of gateway g already: ${fingerprint}\n` })
})

test('query prints NDJSON as a table, with 64-bit numbers to the last digit', async () => {
  await using place = await world()
  await using server = await serving((request) => ({
    type: 'application/x-ndjson',
    headers: { 'postern-query-id': 'qry_1', 'postern-node': 'n1', 'postern-attempts': '1' },
    body: request.headers.accept === 'application/x-ndjson' ? '{"id":9007199254740993,"name":"a\\tb"}\n{"id":1,"name":null}\n' : '',
  }))

  const { code, stdout, stderr } = await place.run(['query', 'shop', 'select 1'], server.env)

  expect(code).toBe(0)
  expect(stdout).toBe('              id  name\n----------------  ----\n9007199254740993  a\\tb\n               1  NULL\n')
  expect(stderr).toMatch(/^\(2 rows by node n1 in /)
})

const LOGGED = {
  id: 'qry_0123456789abcdefghij',
  store: 'shop',
  gateway: 'demo',
  caller: 'ann',
  node: 'n1',
  outcome: 'failed',
  startedAt: '2026-01-02T03:04:05.678Z',
  queuedMs: 12,
  firstRowMs: null,
  durationMs: 2_345,
  rows: 0,
  bytes: 0,
  fault: 'STORE_LOST: The connection to the store broke.',
  sql: null,
  candidates: [{ node: 'n1', taken: true, reason: 'the primary' }],
  attempts: [{ node: 'n1', startedAt: '2026-01-02T03:04:05.700Z', durationMs: 2_300, outcome: 'failed', fault: 'STORE_LOST: It broke.' }],
}

test('query list asks for what was named, and prints a line for each query', async () => {
  await using place = await world()
  await using server = await serving(() => ({ body: { items: [LOGGED], nextCursor: null } }))

  const { code, stdout } = await place.run(['query', 'list', '--slow', '--failed', '--store', 'shop', '--limit', '5'], server.env)
  const slower = await place.run(['query', 'list', '--slow', '250', '--json'], server.env)

  expect(code).toBe(0)
  expect(stdout).toMatch(
    /^ID .*\nqry_0123456789abcdefghij\s+2026-01-02 03:04:05Z\s+shop\s+ann\s+n1\s+failed\s+1\s+12 ms\s+2\.3 s\s+0\s+STORE_LOST\n$/,
  )
  expect(server.requests.map(({ path }) => path)).toEqual([
    '/v1/queries?limit=5&slowerThanMs=1000&outcome=failed&store=shop',
    '/v1/queries?limit=20&slowerThanMs=250',
  ])
  expect(JSON.parse(slower.stdout)).toEqual([LOGGED])
})

test('query show tells the figures and the story of one query', async () => {
  await using place = await world()
  await using server = await serving(() => ({ body: LOGGED }))

  const { code, stdout } = await place.run(['query', 'show', LOGGED.id], server.env)

  expect(code).toBe(0)
  expect(stdout).toContain('waited     12 ms\n')
  expect(stdout).toContain('  chosen     n1: the primary\n  tried      n1: failed after 2.3 s, STORE_LOST: It broke.\n')
})
