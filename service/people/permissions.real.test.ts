/** Every route of the server × every role. A route that is new fails here until the table says who may call it. */
import { silentLog } from '@postern/base/log.ts'
import { NODE_PATHS } from '@postern/protocol/link.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RouteFacts } from '../http/doors.ts'
import { buildService } from '../service.ts'
import { FakeNode } from '../testing/fake-node.ts'
import { LocalService } from '../testing/local-service.ts'
import { COLUMNS, ROWS } from '../testing/permissions-table.ts'

/** Roles of the tokens; administrator is the one of the first start. */
const TOKENS: Readonly<
  Record<string, { readonly role: string; readonly roles?: readonly { readonly role: string; readonly on: string }[] }>
> = {
  oper: { role: 'operator' },
  user: { role: 'user' },
  reader: { role: 'reader' },
  none: { role: 'reader' },
  gwadm: { role: 'none', roles: [{ role: 'gateway-admin', on: 'gateway/demo' }] },
  other: { role: 'none', roles: [{ role: 'gateway-admin', on: 'gateway/other' }] },
  creat: { role: 'none', roles: [{ role: 'store-creator', on: 'gateway/demo' }] },
  owner: {
    role: 'none',
    roles: [
      { role: 'store-owner', on: 'store/shop' },
      { role: 'store-owner', on: 'store/doomed-owner' },
    ],
  },
  suser: { role: 'none', roles: [{ role: 'store-user', on: 'store/shop' }] },
  sread: { role: 'none', roles: [{ role: 'reader', on: 'store/shop' }] },
}
/** Those that may delete what is theirs alone. */
const DELETERS = ['admin', 'oper', 'gwadm', 'owner']

interface Ids {
  readonly tokens: Readonly<Record<string, string>>
  readonly query: string
  readonly runs: Readonly<Record<string, string>>
  readonly grants: Readonly<Record<string, string>>
  readonly doomedToken: string
}

let service: LocalService
let node: FakeNode
let ids: Ids
let routes: readonly RouteFacts[]

beforeAll(async () => {
  routes = await buildService({ data: '/nowhere', log: silentLog }).http.routes()
  service = await LocalService.start()
  const made = await service.gateway(1)
  node = made[0] as FakeNode
  node.handlers[NODE_PATHS.browseStore] = (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/json' })
    stream.end(JSON.stringify({ path: '', entries: [], truncated: false }))
  }
  const { key1 } = await service.api<{ key1: string }>('POST', '/v1/gateways/demo/keys/1')
  for (const name of ['admin', 'oper', 'gwadm']) await FakeNode.join(service.url, key1, `doomed-${name}`)
  await service.api('POST', '/v1/gateways', { name: 'other' })
  for (const name of DELETERS)
    await service.api('POST', '/v1/stores', { kind: 'files', gateway: 'demo', name: `doomed-${name}`, settings: { path: '/srv/x' } })
  ids = await things()
}, 180_000)

afterAll(async () => {
  await service?.[Symbol.asyncDispose]()
})

async function things(): Promise<Ids> {
  const tokens: Record<string, string> = { admin: String(service.headers['authorization']).slice('Bearer '.length) }
  for (const [name, role] of Object.entries(TOKENS))
    tokens[name] = (await service.api<{ token: string }>('POST', '/v1/tokens', { name, ...role })).token
  // Nobody gives a token nothing at all, but what it was given may be taken away.
  await service.database.query(`update token set role = 'none' where name = 'none'`)
  for (const name of ['ann', 'doomed']) await service.api('POST', '/v1/people', { name, role: 'reader' })
  for (const name of ['analysts', 'doomed']) await service.api('POST', '/v1/groups', { name })
  const copy = { source: 'shop', sink: 'shop', from: 'a', to: 'b' }
  const [runs, grants]: [Record<string, string>, Record<string, string>] = [{}, {}]
  runs['one'] = (await service.api<{ id: string }>('POST', '/v1/copies', copy)).id
  for (const [column, role] of [
    ['admin', 'store-user'],
    ['gwadm', 'reader'],
    ['owner', 'store-owner'],
  ] as const)
    grants[column] = (await service.api<{ id: string }>('POST', '/v1/grants', { to: 'group/analysts', role, on: 'store/shop' })).id
  grants['one'] = (await service.api<{ id: string }>('POST', '/v1/grants', { to: 'person/ann', role: 'reader', on: 'store/shop' })).id
  const asked = await service.fetch('POST', '/v1/stores/shop/query', { sql: 'select 1' })
  await asked.text()
  const doomed = await service.api<{ id: string }>('POST', '/v1/tokens', { name: 'doomed', role: 'reader' })
  const deleted = await service.api<{ id: string; token: string }>('POST', '/v1/tokens', { name: 'deleted', role: 'administrator' })
  await service.api('DELETE', `/v1/tokens/${deleted.id}`)
  tokens['deleted'] = deleted.token
  return { tokens, runs, grants, query: asked.headers.get('postern-query-id') ?? '', doomedToken: doomed.id }
}

/** What each route is asked, where it is more than its path with the names below. */
const BODIES: Readonly<Record<string, (column: string) => unknown>> = {
  'POST /v1/stores/:store/query': () => ({ sql: 'select 1' }),
  'POST /v1/copies': () => ({ source: 'shop', sink: 'shop', from: 'a', to: 'b' }),
  'POST /v1/grants': (column) => ({ to: `token/${column === 'owner' ? 'suser' : 'sread'}`, role: 'store-user', on: 'store/shop' }),
  'POST /v1/tokens': (column) => ({ name: `of-${column}`, roles: [{ role: 'store-user', on: 'store/shop' }] }),
  'POST /v1/people': (column) => ({ name: `of-${column}`, role: 'reader' }),
  'PATCH /v1/people/:person': () => ({ displayName: 'Ann' }),
  'POST /v1/people/:person/password': () => ({}),
  'POST /v1/groups': (column) => ({ name: `of-${column}` }),
  'PATCH /v1/groups/:group': () => ({ description: 'who look' }),
  'PUT /v1/oidc/:provider': () => ({ issuer: 'https://id.example', clientId: 'postern' }),
  'PATCH /v1/sign-in/settings': () => ({}),
  'POST /v1/sign-in/password': () => ({ password: 'old', newPassword: 'correct horse battery staple' }),
  'PATCH /v1/audit/settings': () => ({ keepDays: 30 }),
  'POST /v1/stores': (column) => ({ name: `of-${column}`, gateway: 'demo', kind: 'files', settings: { path: '/srv/x' } }),
  'PATCH /v1/stores/:store': () => ({}),
  'POST /v1/gateways': (column) => ({ name: `of-${column}` }),
  'PATCH /v1/gateways/:gateway': () => ({ settings: {} }),
  'PATCH /v1/gateways/:gateway/nodes/:node': () => ({ settings: {} }),
}

/** What stands for the parameters of a path. What is deleted is one's own, so that it is there for each. */
function pathOf(method: string, url: string, column: string): string {
  const deletes = method === 'DELETE'
  const own = DELETERS.includes(column) ? `doomed-${column}` : undefined
  const names: Readonly<Record<string, string>> = {
    gateway: 'demo',
    node: deletes ? (own ?? 'a') : 'a',
    store: deletes ? (own ?? 'shop') : 'shop',
    person: deletes && url.endsWith(':person') ? 'doomed' : 'ann',
    group: deletes && url.endsWith(':group') ? 'doomed' : 'analysts',
    member: 'person%2Fann',
    provider: 'id',
    signIn: `sgn_${'0'.repeat(20)}`,
    query: ids.query,
    run: ids.runs['one'] ?? '',
    session: `ses_${'0'.repeat(20)}`,
    grant: ids.grants[column] ?? ids.grants['one'] ?? '',
    token: ids.doomedToken,
    slot: '2',
    asker: node.id,
    id: `sto_${'0'.repeat(20)}`,
    task: `tsk_${'0'.repeat(20)}`,
    attempt: '1',
  }
  return url.replace(/:(\w+)/g, (_, name: string) => names[name] ?? `no-${name}`)
}

async function ask(method: string, url: string, column: string, authorization?: string) {
  const body = BODIES[`${method} ${url}`]?.(column)
  const left = new AbortController()
  const response = await fetch(service.url + pathOf(method, url, column), {
    method,
    redirect: 'manual',
    signal: left.signal,
    headers: {
      ...(authorization === undefined ? {} : { authorization }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  // A stream of events has no end.
  const text = url === '/v1/events' && response.ok ? '' : await response.text()
  left.abort()
  const answer = text.startsWith('{') && !text.includes('}\n{') ? (JSON.parse(text) as Readonly<Record<string, unknown>>) : {}
  return { status: response.status, code: String(answer['code'] ?? ''), answer }
}

/** As the table says it. */
function cellOf({ status, code, answer }: Awaited<ReturnType<typeof ask>>): string {
  if (status === 403) return code === 'NOT_ALLOWED' ? 'no' : `403 ${code}`
  if (status === 401) return `401 ${code}`
  if (status === 404) return '-'
  if (code === 'INTERNAL' || status === 500) return `500 ${code}`
  return status === 200 && Array.isArray(answer['items']) ? String(answer['items'].length) : 'yes'
}

test('every route of the server stands in the table, and nothing else', () => {
  const served = routes.map(({ method, url }) => `${method} ${url}`)

  expect(ROWS.map(({ method, url }) => `${method} ${url}`).toSorted()).toEqual(served.toSorted())
})

test('each role gets from each route what the table says', async () => {
  const told: string[] = []
  for (const { method, url, cells } of ROWS.filter(({ cells }) => cells.length > 1)) {
    for (const [at, column] of COLUMNS.entries()) {
      const got = cellOf(await ask(method, url, column, `Bearer ${ids.tokens[column]}`))
      if (got !== cells[at]) told.push(`${method} ${url} ${column}: ${cells[at]}, got ${got}`)
    }
  }

  expect(told).toEqual([])
}, 300_000)

test('a refusal names the permission and who can give it', async () => {
  const { answer } = await ask('PATCH', '/v1/stores/:store', 'suser', `Bearer ${ids.tokens['suser']}`)

  expect(answer).toMatchObject({
    code: 'NOT_ALLOWED',
    detail: expect.stringContaining('It needs stores:write on store shop, which suser has not got.'),
    remedy: 'Ask an owner of the store, an admin of its gateway or an administrator for the role store-owner on store shop.',
  })
})

test('what may not be seen is answered as what is not there', async () => {
  const hidden = await ask('GET', '/v1/stores/:store', 'none', `Bearer ${ids.tokens['none']}`)
  const nowhere = await service.fetch('GET', '/v1/stores/nowhere', undefined, { authorization: `Bearer ${ids.tokens['none']}` })
  const { requestId: _, ...said } = (await nowhere.json()) as Record<string, unknown>

  expect({ ...hidden.answer, requestId: undefined }).toEqual({
    ...said,
    detail: String(said['detail']).replace('nowhere', 'shop'),
    requestId: undefined,
  })
})

test('without a token, with one that was deleted, and with the signature of a node, no route of people opens', async () => {
  const told: string[] = []
  for (const { method, url } of routes.filter(({ needs }) => needs !== 'none' && needs !== 'node')) {
    const signed = node.authorization(method, pathOf(method, url, 'admin'), '')
    for (const [what, authorization, codes] of [
      ['nothing', undefined, ['TOKEN_MISSING']],
      ['node', signed, ['TOKEN_MISSING']],
      ['deleted', `Bearer ${ids.tokens['deleted']}`, ['TOKEN_INVALID', 'TOO_MANY_TRIES']],
    ] as const) {
      const { code } = await ask(method, url, 'admin', authorization)
      if (!(codes as readonly string[]).includes(code)) told.push(`${method} ${url} with ${what}: ${code}`)
    }
  }

  expect(told).toEqual([])
}, 180_000)

test('the routes of nodes open for no token, be it an administrator’s', async () => {
  for (const { method, url } of routes.filter(({ needs }) => needs === 'node'))
    expect(await ask(method, url, 'admin', `Bearer ${ids.tokens['admin']}`), url).toMatchObject({ code: 'NODE_PROOF_INVALID' })
})

test('what is open asks nobody who it is', async () => {
  for (const { method, url } of routes.filter(({ needs }) => needs === 'none'))
    expect(['TOKEN_MISSING', 'NOT_ALLOWED'], url).not.toContain((await ask(method, url, 'admin')).code)
})
