/** Signing in through a real OpenID Connect provider: its pages, what it says of people, and what is refused of what comes back. */
import type { OidcProviderPut } from '@postern/protocol/api/oidc.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { OidcServer } from './oidc-server.ts'
import { TestService } from './service.ts'
import { type Visited, WebVisitor } from './web-visitor.ts'

const SECRET = 'a-secret-that-only-two-know'
const PEOPLE = {
  ann: { preferred_username: 'ann', name: 'Ann Other', email: 'ann@example.com', email_verified: true, groups: ['dba', 'staff'] },
  bob: { preferred_username: 'bob', name: 'Bob', email: 'bob@example.com', email_verified: true, groups: ['staff'] },
  eve: { preferred_username: 'ann', name: 'Ann Other', email: 'eve@example.com', email_verified: true, groups: [] },
  mal: { preferred_username: 'mal', email: 'mal@example.com', email_verified: false, groups: [] },
  out: { preferred_username: 'out', email: 'out@elsewhere.example', email_verified: true, groups: ['visitors'] },
}

let service: TestService
let provider: OidcServer

beforeAll(async () => {
  service = await TestService.start({ env: { POSTERN_OIDC_ACME: SECRET } })
  const callback = `${service.url}/v1/oidc/acme/callback`
  provider = await OidcServer.start({ people: PEOPLE, redirectUris: [callback], clientSecret: SECRET })
  const put = await service.client.oidc.put('acme', settings())
  expect(put.redirectUri).toBe(callback)
})

afterAll(async () => {
  await provider?.[Symbol.asyncDispose]()
  await service?.[Symbol.asyncDispose]()
})

const settings = (more: Partial<OidcProviderPut> = {}): OidcProviderPut => ({
  issuer: provider.issuer,
  clientId: provider.clientId,
  secret: 'env:POSTERN_OIDC_ACME',
  allowDomains: ['example.com'],
  roles: { dba: 'operator' },
  defaultRole: 'reader',
  ...more,
})

/** Through the provider's login and consent pages, to where it ends. */
async function signIn(who: string, visitor = new WebVisitor(), start = `${service.url}/v1/oidc/acme/start`): Promise<Visited> {
  const login = await visitor.visit(start)
  const consent = await visitor.submit(login, { login: who, password: 'any' })
  return await visitor.submit(consent)
}

const whoAmI = (visitor: WebVisitor) => visitor.ask(`${service.url}/v1/sign-in`)

function expectRefusal(page: Visited, status: number, code: string): void {
  expect(page.status, page.html).toBe(status)
  expect(page.html).toContain(code)
  expect(page.headers.get('content-type')).toContain('text/html')
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(page.html).not.toMatch(/at .+:\d+:\d+|openid-client|oauth4webapi|node_modules/)
  expect(page.headers.getSetCookie().filter((line) => line.startsWith('postern='))).toEqual([])
}

test('a browser goes to the provider, signs in there, and comes back signed in', async () => {
  const visitor = new WebVisitor()

  const page = await signIn('ann', visitor, `${service.url}/v1/oidc/acme/start?back=/docs/`)

  expect(page.status, page.html).toBe(200)
  expect(page.html).toContain('content="0; url=/docs/"')
  expect((await whoAmI(visitor)).body).toMatchObject({ name: 'ann', kind: 'person', role: 'operator' })
  expect(await service.client.people.get('ann')).toMatchObject({
    displayName: 'Ann Other',
    email: 'ann@example.com',
    issuer: provider.issuer,
    password: 'none',
  })
})

test('who was on the way nowhere lands in the portal', async () => {
  const page = await signIn('ann', new WebVisitor(), `${service.url}/v1/oidc/acme/start`)

  expect(page.html).toContain('content="0; url=/"')
})

test('who comes again is the same person, with what the provider says now', async () => {
  await signIn('bob')
  const before = await service.client.people.get('bob')
  provider.people = { ...PEOPLE, bob: { ...PEOPLE.bob, name: 'Robert', groups: ['dba'] } }

  await signIn('bob')

  const after = await service.client.people.get('bob')
  expect(before).toMatchObject({ role: 'reader', displayName: 'Bob' })
  expect(after).toMatchObject({ id: before.id, role: 'operator', displayName: 'Robert' })
  provider.people = PEOPLE
})

test('an account here is not taken over by somebody there who is called the same', async () => {
  const local = await service.client.people.create({ name: 'carl', role: 'administrator', password: 'four words that stay' })
  provider.people = { ...PEOPLE, carl2: { preferred_username: 'carl', email: 'carl@example.com', email_verified: true } }
  const visitor = new WebVisitor()

  await signIn('carl2', visitor)

  expect((await whoAmI(visitor)).body).toMatchObject({ name: 'carl-2', role: 'reader' })
  expect(await service.client.people.get('carl')).toMatchObject({ id: local.id, role: 'administrator', issuer: null })
  provider.people = PEOPLE
})

test.each([
  ['whose domain is not admitted', 'out'],
  ['whose address the provider has not verified', 'mal'],
])('somebody %s is not let in', async (_, who) => {
  expectRefusal(await signIn(who), 403, 'OIDC_NOT_ADMITTED')
  expect((await service.client.people.list()).map(({ name }) => name)).not.toContain(who)
})

test('nobody is let in where nothing says who may come', async () => {
  await service.client.oidc.put('acme', settings({ allowDomains: [], roles: {} }))
  expectRefusal(await signIn('ann'), 403, 'OIDC_NOT_ADMITTED')
  await service.client.oidc.put('acme', settings())
})

test('who is disabled stays out, and what he had open is ended', async () => {
  const visitor = new WebVisitor()
  provider.people = { ...PEOPLE, dan: { preferred_username: 'dan', email: 'dan@example.com', email_verified: true } }
  await signIn('dan', visitor)
  expect((await whoAmI(visitor)).status).toBe(200)

  await service.client.people.change('dan', { disabled: true })

  expect((await whoAmI(visitor)).status).toBe(401)
  expectRefusal(await signIn('dan'), 403, 'OIDC_NOT_ADMITTED')
  provider.people = PEOPLE
})

/** Changes the address that leads back to the service. */
function tamper(change: (url: URL) => void): WebVisitor {
  const visitor = new WebVisitor()
  visitor.onTheWay = (url) => {
    if (url.pathname.endsWith('/callback')) change(url)
    return url
  }
  return visitor
}

test.each([
  ['state', (url: URL) => url.searchParams.set('state', 'x'.repeat(43))],
  ['state, left out', (url: URL) => url.searchParams.delete('state')],
  ['state, twice', (url: URL) => url.searchParams.append('state', 'x')],
  ['code', (url: URL) => url.searchParams.set('code', 'x'.repeat(43))],
  ['code, left out', (url: URL) => url.searchParams.delete('code')],
  ['issuer', (url: URL) => url.searchParams.set('iss', 'https://evil.example')],
  ['issuer, left out', (url: URL) => url.searchParams.delete('iss')],
])('a tampered %s is refused', async (_, change) => {
  expectRefusal(await signIn('ann', tamper(change)), 403, 'OIDC_REFUSED')
})

test('a nonce that is not ours is refused: the ID token is of another sign-in', async () => {
  const visitor = new WebVisitor()
  visitor.onTheWay = (url) => {
    if (url.searchParams.has('nonce')) url.searchParams.set('nonce', 'of-somebody-else')
    return url
  }

  expectRefusal(await signIn('ann', visitor), 403, 'OIDC_REFUSED')
})

test('a challenge that is not ours is refused: the code is of another sign-in', async () => {
  const visitor = new WebVisitor()
  visitor.onTheWay = (url) => {
    if (url.searchParams.has('code_challenge')) url.searchParams.set('code_challenge', 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM')
    return url
  }

  expectRefusal(await signIn('ann', visitor), 403, 'OIDC_REFUSED')
})

/** The way back, not gone. */
async function wayBack(who: string, visitor: WebVisitor): Promise<URL> {
  visitor.onTheWay = (url) => (url.pathname.endsWith('/callback') ? undefined : url)
  const { url } = await signIn(who, visitor)
  visitor.onTheWay = (way) => way
  expect(url.searchParams.get('code')).not.toBeNull()
  return url
}

test('a way back is gone once: a second time it is refused', async () => {
  const visitor = new WebVisitor()
  const back = await wayBack('ann', visitor)

  const first = await visitor.visit(back)
  const again = await visitor.visit(back)

  expect(first.status).toBe(200)
  expectRefusal(again, 403, 'OIDC_REFUSED')
})

test('a way back works in the browser that began it only: nobody is signed in as somebody else by a link', async () => {
  const eve = new WebVisitor()
  const back = await wayBack('eve', eve)
  const victim = new WebVisitor()
  await victim.visit(`${service.url}/v1/oidc/acme/start`)

  expectRefusal(await victim.visit(back), 403, 'OIDC_REFUSED')
  expect((await eve.visit(back)).status).toBe(200)
})

test('a code of one sign-in does not fit into another, of the same person in the same browser', async () => {
  const [one, other] = [new WebVisitor(), new WebVisitor()]
  const stolen = (await wayBack('ann', one)).searchParams.get('code') ?? ''
  const back = await wayBack('ann', other)
  back.searchParams.set('code', stolen)

  expectRefusal(await other.visit(back), 403, 'OIDC_REFUSED')
})

test('a way back to another site leads home', async () => {
  for (const back of ['https://evil.example/', '//evil.example/', '/\\evil.example/', 'javascript:alert(1)', '/%5C%5Cevil.example']) {
    const page = await signIn('ann', new WebVisitor(), `${service.url}/v1/oidc/acme/start?${new URLSearchParams({ back })}`)
    expect(page.status, page.html).toBe(200)
    expect(page.html).not.toMatch(/url=(?!\/[^/\\])/)
    expect(page.html).not.toContain('url=//')
  }
})

test('who says no at the provider is told so, and is not signed in', async () => {
  const visitor = new WebVisitor()
  const login = await visitor.visit(`${service.url}/v1/oidc/acme/start`)

  const page = await visitor.visit(visitor.linkOf(login, /<a href="([^"]+abort)"/))

  expectRefusal(page, 403, 'OIDC_REFUSED')
  expect(page.html).toContain('access_denied')
})

test('keys that the provider has rotated a moment ago are known at once', async () => {
  expect((await signIn('ann')).status).toBe(200)

  await provider.rotate()

  expect((await signIn('ann')).status).toBe(200)
})

test('a provider that calls itself otherwise than it is known here is refused', async () => {
  await service.client.oidc.put('acme', settings({ issuer: `http://localhost:${provider.port}` }))

  const page = await new WebVisitor().visit(`${service.url}/v1/oidc/acme/start`)

  expectRefusal(page, 502, 'OIDC_PROVIDER_UNREACHABLE')
  await service.client.oidc.put('acme', settings())
})

test('a wrong secret, a missing one, and a provider that is away are told apart, without a word of the secret', async () => {
  const wrong = await TestService.start({ env: { POSTERN_OIDC_ACME: 'not-the-secret' } })
  await using stack = new AsyncDisposableStack()
  stack.use(wrong)
  const away = await OidcServer.start({ people: PEOPLE, redirectUris: [`${wrong.url}/v1/oidc/acme/callback`], clientSecret: SECRET })
  stack.use(away)
  const put = (secret: string) => wrong.client.oidc.put('acme', settings({ issuer: away.issuer, secret }))
  const start = `${wrong.url}/v1/oidc/acme/start`

  await put('env:POSTERN_OIDC_ACME')
  expectRefusal(await signIn('ann', new WebVisitor(), start), 502, 'OIDC_PROVIDER_UNREACHABLE')
  await put('env:POSTERN_OIDC_NOT_SET')
  expectRefusal(await new WebVisitor().visit(start), 409, 'OIDC_SECRET_MISSING')
  await wrong.client.oidc.put('acme', settings({ issuer: 'http://127.0.0.1:9' }))
  expectRefusal(await new WebVisitor().visit(start), 502, 'OIDC_PROVIDER_UNREACHABLE')

  expect(wrong.process.log).not.toContain('not-the-secret')
})

test('secrets of the machine that are not meant for it cannot be named', async () => {
  for (const secret of ['env:PATH', 'env:POSTERN_TOKEN', 'file:../admin-token', 'file:/etc/shadow', SECRET])
    await expect(service.client.oidc.put('acme', settings({ secret }))).rejects.toMatchObject({ code: 'INPUT_INVALID' })
})

test('nothing of it can be read in the log, in the audit or in the list of providers', async () => {
  const visitor = new WebVisitor()
  const back = await wayBack('ann', visitor)
  await visitor.visit(back)

  const audit = JSON.stringify(
    await (await fetch(`${service.url}/v1/audit?limit=1000`, { headers: { authorization: `Bearer ${service.token}` } })).json(),
  )
  const said = service.process.log + audit + JSON.stringify(await service.client.oidc.list())

  expect(audit).toContain('"action":"sign-in"')
  for (const secret of [
    SECRET,
    back.searchParams.get('code'),
    back.searchParams.get('state'),
    visitor.cookiesOf(new URL(service.url)).split('=')[1],
  ])
    expect(said).not.toContain(secret)
})
