import type { AuditView } from '@postern/protocol/api/audit.ts'
import type { TokenCreated } from '@postern/protocol/api/tokens.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { LocalService } from '../testing/local-service.ts'

let service: LocalService
let count = 0
/** A token of each test, which may query shop and nothing else. */
let name = ''
let user: TokenCreated

beforeAll(async () => {
  service = await LocalService.start()
  await service.gateway(1)
}, 180_000)

afterAll(async () => {
  await service?.[Symbol.asyncDispose]()
})

beforeEach(async () => {
  count += 1
  name = `user${count}`
  user = await service.api<TokenCreated>('POST', '/v1/tokens', { name, roles: [{ role: 'store-user', on: 'store/shop' }] })
})

const ask = async (method: string, path: string, body?: unknown, token = user.token) => {
  const response = await service.fetch(method, path, body, { authorization: `Bearer ${token}` })
  return { status: response.status, text: await response.text() }
}
const audit = async (filter: string): Promise<readonly AuditView[]> =>
  (await service.api<{ items: readonly AuditView[] }>('GET', `/v1/audit?${filter}`)).items

test('a change says who, by name and id, from where, what and with what outcome', async () => {
  const [made] = await audit(`action=token.create&target=token%20${name}`)

  expect(made).toMatchObject({
    who: 'administrator',
    whoId: expect.stringMatching(/^tok_/),
    ip: '127.0.0.1',
    outcome: 'done',
    details: { id: user.id, roles: 'store-user on store/shop' },
  })
})

test('what was refused leaves a record: no right, hidden, not who it claimed to be', async () => {
  await ask('PATCH', '/v1/stores/shop', {})
  await ask('DELETE', '/v1/stores/lake')
  await ask('GET', '/v1/gateways/demo')
  await ask('GET', '/v1/stores', undefined, 'ptn_wrong')

  const refused = await audit(`who=${name}&outcome=refused`)
  const unknown = await audit('who=nobody&outcome=refused')

  expect(refused.map(({ action, target, whoId, details }) => [action, target, whoId, details['code']])).toEqual([
    ['GET /v1/gateways/:gateway', '/v1/gateways/demo', user.id, 'GATEWAY_UNKNOWN'],
    ['DELETE /v1/stores/:store', '/v1/stores/lake', user.id, 'STORE_UNKNOWN'],
    ['PATCH /v1/stores/:store', '/v1/stores/shop', user.id, 'NOT_ALLOWED'],
  ])
  expect(unknown).toContainEqual(
    expect.objectContaining({ target: '/v1/stores', details: expect.objectContaining({ code: 'TOKEN_INVALID' }) }),
  )
})

test('a change that was allowed and not done is a failure; a look at what is not there is none', async () => {
  const admin = String(service.headers['authorization']).slice('Bearer '.length)
  await ask('POST', '/v1/gateways', { name: 'demo' }, admin)
  await ask('GET', `/v1/stores/nowhere${count}`, undefined, admin)

  expect((await audit('outcome=failed&action=POST%20/v1/gateways'))[0]).toMatchObject({ details: { code: 'GATEWAY_EXISTS' } })
  expect(await audit(`target=/v1/stores/nowhere${count}`)).toEqual([])
})

test('the same refusal many times in a moment is one row that says how often', async () => {
  for (let n = 0; n < 20; n += 1) await ask('PATCH', '/v1/stores/shop', {})

  const rows = await audit(`who=${name}&outcome=refused`)

  expect(rows.length).toBeLessThan(20)
  expect(rows.reduce((sum, { details }) => sum + Number(details['times'] ?? 1), 0)).toBe(20)
})

test('queries stand in the same stream on demand, page after page, with who and from where', async () => {
  for (let n = 0; n < 3; n += 1) await ask('POST', '/v1/stores/shop/query', { sql: 'select 1' })
  await ask('PATCH', '/v1/stores/shop', {})
  expect((await audit(`who=${user.id}`)).map(({ action }) => action)).toEqual(['PATCH /v1/stores/:store'])

  const seen: AuditView[] = []
  for (let cursor = ''; ; ) {
    const path = `/v1/audit?queries=true&limit=2&who=${user.id}${cursor === '' ? '' : `&cursor=${cursor}`}`
    const page = await service.api<{ items: AuditView[]; nextCursor: string | null }>('GET', path)
    seen.push(...page.items)
    if (page.nextCursor === null) break
    cursor = page.nextCursor
  }

  expect(seen.map(({ action }) => action)).toEqual(['PATCH /v1/stores/:store', 'store.query', 'store.query', 'store.query'])
  expect(seen[1]).toMatchObject({
    who: name,
    whoId: user.id,
    target: 'store shop',
    ip: '127.0.0.1',
    outcome: 'done',
    id: expect.stringMatching(/^qry_/),
  })
})

test('who administers a gateway reads what is of it, deleted stores and refusals too, and nothing else', async () => {
  const [store, far] = [`gone${count}`, `far${count}`]
  const admin = await service.api<TokenCreated>('POST', '/v1/tokens', {
    name: `admin${count}`,
    roles: [{ role: 'gateway-admin', on: 'gateway/demo' }],
  })
  await service.api('POST', '/v1/gateways', { name: `other${count}` })
  await service.api('POST', '/v1/stores', { kind: 'files', gateway: `other${count}`, name: far, settings: { path: '/srv/far' } })
  await service.api('POST', '/v1/stores', { kind: 'files', gateway: 'demo', name: store, settings: { path: '/srv/x' } })
  await service.api('DELETE', `/v1/stores/${store}`)
  // The same name again, elsewhere: what was before stays where it was.
  await service.api('POST', '/v1/stores', { kind: 'files', gateway: `other${count}`, name: store, settings: { path: '/srv/x' } })
  await service.api('POST', '/v1/grants', { to: `token/${name}`, role: 'reader', on: 'store/lake' })
  await ask('PATCH', '/v1/stores/shop', {})
  await ask('POST', '/v1/stores/shop/query', { sql: 'select 1' })

  const { text } = await ask('GET', '/v1/audit?limit=1000&queries=true', undefined, admin.token)
  const seen = (JSON.parse(text) as { items: AuditView[] }).items
  const exported = await ask('GET', '/v1/audit/export', undefined, admin.token)
  const byGateway = await audit(`gateway=other${count}&limit=1000`)

  const targets = seen.map(({ action, target }) => `${action} ${target}`)
  expect(targets).toEqual(
    expect.arrayContaining([
      `store.create store ${store}`,
      `store.delete store ${store}`,
      'grant.create store/lake',
      'PATCH /v1/stores/:store /v1/stores/shop',
      'store.query store shop',
    ]),
  )
  expect(targets.filter((one) => one === `store.create store ${store}`)).toHaveLength(1)
  expect(text).not.toContain(far)
  expect(text).not.toMatch(/"action":"(token|person|audit|sign-in)/)
  expect(exported.status).toBe(200)
  expect(exported.text).toContain(`store ${store}`)
  expect(exported.text).not.toContain(far)
  expect(new Set(byGateway.map(({ target }) => target))).toEqual(new Set([`gateway other${count}`, `store ${far}`, `store ${store}`]))
  expect((await ask('GET', '/v1/audit', undefined, admin.token)).status).toBe(200)
  expect((await ask('GET', '/v1/audit/settings', undefined, admin.token)).status).toBe(403)
  expect((await ask('GET', '/v1/audit/export')).status).toBe(403)
})

test('filters hold together: action with all that begins so, and time', async () => {
  const [made] = await audit(`action=token&target=token%20${name}`)
  const at = made?.at ?? ''

  expect(await audit(`action=toke&target=token%20${name}`)).toEqual([])
  expect(await audit(`action=token&target=token%20${name}&since=${at}`)).toHaveLength(1)
  expect(await audit(`action=token&target=token%20${name}&until=${at}`)).toEqual([])
})

test('the export has each record once, oldest first, also of more than one read; that it was made is recorded', async () => {
  await service.database.query(`
    insert into audit (at, who, action, target, ip) select now() - interval '1 day', 'many${count}', 'test.row', 'row ' || n, null
      from generate_series(1, 2500) as n`)
  const { text } = await ask('GET', `/v1/audit/export?who=many${count}`, undefined, String(service.headers['authorization']).slice(7))
  const rows = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditView)

  expect(rows.map(({ target }) => target)).toEqual(Array.from({ length: 2_500 }, (_, n) => `row ${n + 1}`))
  expect((await audit('action=audit.export'))[0]).toMatchObject({ who: 'administrator', details: { format: 'ndjson' } })
})

test('a CSV keeps its columns, and no name becomes a formula', async () => {
  await service.database.query(`insert into audit (who, action, target, ip) values ('=HYPERLINK("x")${count}', 'a', 'b, "c"', null)`)
  const who = encodeURIComponent(`=HYPERLINK("x")${count}`)
  const { text } = await ask('GET', `/v1/audit/export?format=csv&who=${who}`, undefined, String(service.headers['authorization']).slice(7))
  const [head, line] = text.split('\r\n')

  expect(head).toBe('at,who,whoId,action,target,ip,outcome,id,details')
  expect(line).toContain(`,"'=HYPERLINK(""x"")${count}",,a,"b, ""c""",,done,`)
})

test('nobody changes or deletes a record, not even on the database; retention deletes what is older', async () => {
  await expect(service.database.query(`update audit set who = 'eve'`)).rejects.toThrow('only added to')
  await expect(service.database.query('delete from audit')).rejects.toThrow('only added to')
  await expect(service.database.query('truncate audit')).rejects.toThrow('only added to')
  await service.database.query(`insert into audit (at, who, action, target) values (now() - interval '40 days', 'old${count}', 'a', 'b')`)

  await service.api('PATCH', '/v1/audit/settings', { keepDays: 30 })
  await service.restart()

  await waitFor('the old record is gone', async () => (await audit(`who=old${count}`)).length === 0)
  expect((await audit('action=audit.set'))[0]).toMatchObject({ details: { keepDays: 30 } })
})
