import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { silentLog } from '@postern/base/log.ts'
import type { GatewayCreated, GatewayView } from '@postern/protocol/api/gateways.ts'
import { type TestFolder, testFolder } from '@postern/testkit/folder.ts'
import { type TestDatabase, testDatabase } from '@postern/testkit/postgres.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningService, startService } from './service.ts'
import { type Answer, send } from './testing/send.ts'

let folder: TestFolder
let database: TestDatabase
let service: RunningService
let token: string

const call = <T>(method: string, path: string, body?: unknown): Promise<Answer<T>> =>
  send<T>(service.url + path, method, body, { authorization: `Bearer ${token}` })

beforeAll(async () => {
  folder = await testFolder()
  database = await testDatabase()
  service = await startService({ data: join(folder.path, 'data'), port: 0, databaseUrl: database.url, log: silentLog })
  token = (await readFile(service.adminTokenFile, 'utf8')).trim()
})

afterAll(async () => {
  await service?.stop()
  await database?.[Symbol.asyncDispose]()
  await folder?.[Symbol.asyncDispose]()
})

test("the administrator's token can be read by its owner only, and is nowhere in the database", async () => {
  expect((await stat(service.adminTokenFile)).mode & 0o777).toBe(0o600)

  const rows = await database.query<{ text: string }>('select token::text as text from token union all select audit::text from audit')
  expect(rows.map(({ text }) => text).join()).not.toContain(token)
})

test('keys of a gateway are shown once and kept as hashes', async () => {
  const created = await call<GatewayCreated>('POST', '/v1/gateways', { name: 'keys-once' })
  const shown = await call<GatewayView>('GET', '/v1/gateways/keys-once')
  const kept = await database.query<{ text: string }>('select gateway_key::text as text from gateway_key')

  expect(created.status).toBe(201)
  expect(created.body.key1).toMatch(/^pgk_/)
  expect(JSON.stringify(shown.body)).not.toContain('pgk_')
  expect(kept.map(({ text }) => text).join()).not.toContain(created.body.key1)
  const second = await call<{ key2?: string; key1?: string }>('POST', '/v1/gateways/keys-once/keys/2')
  expect(Object.keys(second.body)).toEqual(['key2'])
  expect(second.body.key2).not.toBe(created.body.key2)
})

test('settings that are not named stay as they are', async () => {
  await call('POST', '/v1/gateways', { name: 'settings', settings: { policy: 'random' } })

  const changed = await call<GatewayView>('PATCH', '/v1/gateways/settings', { settings: { cpuPercent: 80 } })

  expect(changed.body.settings).toMatchObject({ policy: 'random', cpuPercent: 80, queryConcurrency: 'auto' })
})

test('lists are paged by cursor', async () => {
  for (const name of ['page-1', 'page-2', 'page-3']) await call('POST', '/v1/gateways', { name })
  const names: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const more = cursor === '' ? '' : `&cursor=${cursor}`
    const page: Answer<{ items: GatewayView[]; nextCursor: string | null }> = await call('GET', `/v1/gateways?limit=2${more}`)
    expect(page.body.items.length).toBeLessThanOrEqual(2)
    names.push(...page.body.items.map(({ name }) => name))
    cursor = page.body.nextCursor
  }

  expect(names).toEqual([...new Set(names)].toSorted())
  expect(names).toEqual(expect.arrayContaining(['page-1', 'page-2', 'page-3']))
})

test('a store goes through its life, its version grows, each change is in the audit', async () => {
  await call('POST', '/v1/gateways', { name: 'life' })

  const made = await call<{ version: number }>('POST', '/v1/stores', {
    name: 'lake',
    gateway: 'life',
    kind: 'files',
    settings: { path: '/srv' },
  })
  const changed = await call<{ version: number }>('PATCH', '/v1/stores/lake', { settings: { path: '/srv/lake' } })
  const inUse = await call('DELETE', '/v1/gateways/life')
  const gone = await call('DELETE', '/v1/stores/lake')
  const after = await call('GET', '/v1/stores/lake')
  const audit = await call<{ items: { action: string; who: string; ip: string }[] }>('GET', '/v1/audit?limit=3&outcome=done')

  expect([made.status, made.body.version]).toEqual([201, 1])
  expect([changed.status, changed.body.version]).toEqual([200, 2])
  expect([inUse.status, inUse.body.code]).toEqual([409, 'GATEWAY_IN_USE'])
  expect([gone.status, after.body.code]).toEqual([204, 'STORE_UNKNOWN'])
  expect(audit.body.items.map(({ action }) => action)).toEqual(['store.delete', 'store.set', 'store.create'])
  expect(audit.body.items[0]).toMatchObject({ who: 'administrator', ip: '127.0.0.1' })
})

test('a token does what its role may, until it is deleted or expires', async () => {
  const made = await call<{ id: string; token: string }>('POST', '/v1/tokens', { name: 'looker', role: 'reader' })
  const late = await call<{ token: string }>('POST', '/v1/tokens', { name: 'late', role: 'reader', expiresAt: '2020-01-01T00:00:00Z' })
  const as = (bearer: string, method: string, path: string, body?: unknown) =>
    send(service.url + path, method, body, { authorization: `Bearer ${bearer}` })

  expect((await as(made.body.token, 'GET', '/v1/gateways')).status).toBe(200)
  expect((await as(made.body.token, 'POST', '/v1/gateways', { name: 'no' })).body).toMatchObject({
    code: 'NOT_ALLOWED',
    detail: expect.stringContaining('gateways:write'),
  })
  expect((await as(late.body.token, 'GET', '/v1/gateways')).body.code).toBe('TOKEN_INVALID')
  await call('DELETE', `/v1/tokens/${made.body.id}`)
  expect((await as(made.body.token, 'GET', '/v1/gateways')).body.code).toBe('TOKEN_INVALID')
})

test.each([
  ['POST', '/v1/gateways', { name: 'bad name' }, 400, 'INPUT_INVALID', /name: letters, digits/],
  ['POST', '/v1/gateways', { name: 'x', setings: {} }, 400, 'INPUT_INVALID', /setings/],
  ['POST', '/v1/gateways', { name: 'page-1' }, 409, 'GATEWAY_EXISTS', /page-1/],
  ['PATCH', '/v1/gateways/page-1', { settings: { polici: 'random' } }, 400, 'SETTING_UNKNOWN', /"polici" is none of policy, cpuPercent/],
  ['PATCH', '/v1/gateways/page-1', { settings: { cpuPercent: 101 } }, 400, 'INPUT_INVALID', /settings.cpuPercent/],
  ['GET', '/v1/gateways/nobody', undefined, 404, 'GATEWAY_UNKNOWN', /nobody/],
  ['GET', '/v1/gateways/page-1/nodes/n', undefined, 404, 'NODE_UNKNOWN', /page-1\/n/],
  ['GET', '/v1/gateways?cursor=zzz', undefined, 400, 'INPUT_INVALID', /cursor/],
  ['GET', '/v1/gateways?limit=0', undefined, 400, 'INPUT_INVALID', /query limit/],
  ['POST', '/v1/stores', { name: 's', gateway: 'page-1', kind: 'oracle' }, 400, 'STORE_KIND_UNKNOWN', /postgres/],
  ['POST', '/v1/stores', { name: 's', gateway: 'none', kind: 'files', settings: { path: '/x' } }, 404, 'GATEWAY_UNKNOWN', /none/],
  ['POST', '/v1/stores', { name: 's', gateway: 'page-1', kind: 'files', settings: { path: 'x' } }, 400, 'STORE_SETTINGS_INVALID', /path: /],
  [
    'POST',
    '/v1/stores',
    { name: 's', gateway: 'page-1', kind: 'files', settings: { path: '/x', pfad: 1 } },
    400,
    'SETTING_UNKNOWN',
    /"pfad"/,
  ],
  ['DELETE', '/v1/stores/nothing', undefined, 404, 'STORE_UNKNOWN', /nothing/],
  ['DELETE', '/v1/tokens/tok_00000000000000000000', undefined, 404, 'TOKEN_UNKNOWN', /tok_/],
] as const)('%s %s with %j is refused well', async (method, path, body, status, code, says) => {
  const answer = await call(method, path, body)

  expect([answer.status, answer.body.code]).toEqual([status, code])
  expect(answer.body.detail).toMatch(says)
  expect(answer.body.detail).not.toContain('\n')
})

test('all routes are described in OpenAPI 3.1', async () => {
  const { body } = await call<{ openapi: string; paths: Record<string, Record<string, { summary?: string }>> }>('GET', '/openapi.json')

  expect(body.openapi).toBe('3.1.0')
  for (const [path, methods] of Object.entries(body.paths))
    for (const [method, { summary }] of Object.entries(methods)) expect(summary, `${method} ${path}`).toBeTruthy()
  expect(Object.keys(body.paths)).toEqual(expect.arrayContaining(['/v1/gateways/{gateway}', '/v1/stores', '/v1/audit', '/healthz']))
})

test('two services cannot have one data folder, and a folder of a node is left alone', async () => {
  const again = startService({ data: join(folder.path, 'data'), port: 0, databaseUrl: database.url, log: silentLog })
  await expect(again).rejects.toMatchObject({ code: 'DATA_FOLDER_IN_USE' })
  await using foreign = await testFolder()
  await writeFile(join(foreign.path, 'node.json'), '{}')

  const beside = startService({ data: foreign.path, port: 0, databaseUrl: database.url, log: silentLog })

  await expect(beside).rejects.toMatchObject({ code: 'DATA_FOLDER_FOREIGN' })
})

test('a port that is taken is said, and nothing is left running', async () => {
  await using other = await testFolder()
  const port = Number(new URL(service.url).port)

  const taken = startService({ data: other.path, port, databaseUrl: database.url, log: silentLog })

  await expect(taken).rejects.toMatchObject({ code: 'PORT_TAKEN', message: expect.stringContaining(String(port)) })
  await using free = await startService({ data: other.path, port: 0, databaseUrl: database.url, log: silentLog })
  expect((await fetch(`${free.url}/readyz`)).status).toBe(200)
})

test('killed under the service, its PostgreSQL comes back, and the service with it', async () => {
  await using own = await testFolder()
  await using embedded = await startService({ data: join(own.path, 'data'), port: 0, log: silentLog })
  const bearer = { authorization: `Bearer ${(await readFile(embedded.adminTokenFile, 'utf8')).trim()}` }
  await send(`${embedded.url}/v1/gateways`, 'POST', { name: 'before' }, bearer)

  const killed = embedded.databasePid()
  process.kill(killed ?? 0, 'SIGKILL')
  // A request that was on its way when the server died is refused as a whole; the pool waits for the restart with all others.
  const answers = await Promise.all(['a', 'b', 'c', 'd'].map((name) => send(`${embedded.url}/v1/gateways`, 'POST', { name }, bearer)))
  await expect.poll(() => embedded.databasePid(), { timeout: 30_000 }).not.toBe(killed)
  const after = await send(`${embedded.url}/v1/gateways`, 'POST', { name: 'after' }, bearer)
  const audit = await send<{ items: { target: string }[] }>(`${embedded.url}/v1/audit`, 'GET', undefined, bearer)

  for (const { status, body } of answers) expect(status === 201 || body.code === 'DATABASE_UNREACHABLE').toBe(true)
  expect(after.status).toBe(201)
  // What was acknowledged is there, and nothing else.
  const made = ['a', 'b', 'c', 'd'].filter((_name, index) => answers[index]?.status === 201)
  const kept = audit.body.items.map(({ target }) => target.replace('gateway ', ''))
  expect(kept).toEqual(expect.arrayContaining([...made, 'before', 'after']))
  expect((await fetch(`${embedded.url}/readyz`)).status).toBe(200)
})
