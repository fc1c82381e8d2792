import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, systemClock } from '@postern/base/clock.ts'
import { silentLog } from '@postern/base/log.ts'
import { Client } from '@postern/client/client.ts'
import { OidcServer } from '@postern/testkit/oidc-server.ts'
import { type TestDatabase, testDatabase } from '@postern/testkit/postgres.ts'
import { type Visited, WebVisitor } from '@postern/testkit/web-visitor.ts'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type RunningService, startService } from '../service.ts'

const ANN = { preferred_username: 'ann', groups: ['dba', 'staff'] }
const stack = new AsyncDisposableStack()
let database: TestDatabase
let provider: OidcServer
let service: RunningService
let headers: Record<string, string>
/** How far the service's clock is ahead. */
let aheadMs = 0

beforeAll(async () => {
  database = stack.use(await testDatabase())
  const data = await mkdtemp(join(tmpdir(), 'postern-service-'))
  stack.defer(() => rm(data, { recursive: true, force: true }))
  const clock: Clock = { ...systemClock, now: () => Date.now() + aheadMs }
  service = stack.use(await startService({ data, port: 0, databaseUrl: database.url, log: silentLog, clock }))
  const token = (await readFile(service.adminTokenFile, 'utf8')).trim()
  headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  provider = stack.use(await OidcServer.start({ people: {}, redirectUris: [`${service.url}/v1/oidc/acme/callback`] }))
  await new Client({ url: service.url, token }).oidc.put('acme', { issuer: provider.issuer, clientId: 'postern', allowDomains: ['*'] })
})

afterAll(() => stack.disposeAsync())

beforeEach(() => {
  aheadMs = 0
  provider.people = { ann: ANN }
})

async function signIn(who: string, visitor = new WebVisitor()): Promise<Visited> {
  const login = await visitor.visit(`${service.url}/v1/oidc/acme/start`)
  return await visitor.submit(await visitor.submit(login, { login: who, password: 'any' }))
}

test.each([
  ['half a minute ahead', 30_000, 200],
  ['half a minute behind', -30_000, 200],
  ['ten minutes behind: what comes is of the future', -600_000, 403],
  ['a day ahead: what comes is too old', 86_400_000, 403],
])('the clock may be a minute off: %s', async (_, ms, status) => {
  aheadMs = ms

  const page = await signIn('ann')

  expect(page.status, page.html).toBe(status)
  if (status === 403) expect(page.html).toContain('OIDC_REFUSED')
})

test('groups that are called as those of the provider have the person, until the provider says otherwise', async () => {
  const post = (path: string, body: unknown) => fetch(service.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
  for (const name of ['dba', 'others']) expect((await post('/v1/groups', { name })).status).toBe(201)
  const membersOf = async (name: string) => JSON.stringify(await (await fetch(`${service.url}/v1/groups/${name}`, { headers })).json())

  await signIn('ann')
  expect(await membersOf('dba')).toContain('ann')
  expect(await membersOf('others')).not.toContain('ann')
  provider.people = { ann: { ...ANN, groups: ['others'] } }
  await signIn('ann')

  expect(await membersOf('dba')).not.toContain('ann')
  expect(await membersOf('others')).toContain('ann')
})

test('many who come for the first time at the same moment, all called the same, and one of them in two browsers', async () => {
  const names = ['x1', 'x2', 'x3', 'x4', 'x5', 'x5', 'x1']
  provider.people = Object.fromEntries(names.map((id) => [id, { preferred_username: 'kim' }]))

  const pages = await Promise.all(names.map((id) => signIn(id)))

  expect(pages.map(({ status }) => status)).toEqual(names.map(() => 200))
  const rows = await database.query<{ name: string; subject: string }>(
    `select name, subject from person where name like 'kim%' order by name`,
  )
  expect(rows.map(({ name }) => name)).toEqual(['kim', 'kim-2', 'kim-3', 'kim-4', 'kim-5'])
  expect(new Set(rows.map(({ subject }) => subject)).size).toBe(5)
})

test.each([
  ['/docs/?a=1#b', '/docs/?a=1#b'],
  ['https://other.example/', '/'],
  ['//other.example/', '/'],
  ['/\\other.example/', '/'],
  ['/.//other.example/', '/'],
  ['/./\\other.example/', '/'],
  ['/a/..//other.example/', '/'],
  ['/\t/other.example/', '/'],
])('the way back %j leads to %s: never to another site', async (back, to) => {
  const visitor = new WebVisitor()
  const login = await visitor.visit(`${service.url}/v1/oidc/acme/start?${new URLSearchParams({ back })}`)

  const page = await visitor.submit(await visitor.submit(login, { login: 'ann', password: 'any' }))

  expect(visitor.linkOf(page)).toBe(to)
})

test('what is kept of a sign-in on its way opens nothing', async () => {
  const visitor = new WebVisitor()
  visitor.onTheWay = (url) => (url.pathname.endsWith('/callback') ? undefined : url)
  const { url } = await signIn('ann', visitor)
  const [cookie = ''] = visitor.cookiesOf(new URL(service.url)).split('=').slice(1)

  const dump = JSON.stringify([await database.query('select * from oidc_flow'), await database.query('select * from oidc_provider')])

  expect(url.searchParams.get('code')).not.toBeNull()
  expect(cookie).toHaveLength(43)
  for (const secret of [url.searchParams.get('state'), url.searchParams.get('code'), cookie]) expect(dump).not.toContain(secret)
})

test('beginnings from one address have a limit, which is told with the time to wait', async () => {
  const answers = await Promise.all(
    Array.from({ length: 140 }, () =>
      fetch(`${service.url}/v1/oidc/acme/start`, { redirect: 'manual', headers: { accept: 'application/json' } }),
    ),
  )

  const refused = answers.filter(({ status }) => status === 429)
  expect(refused.length).toBeGreaterThanOrEqual(20)
  expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(1)
})
