import { request } from 'node:http'
import type { PersonCreated, PersonView, SignedIn, SignInView } from '@postern/protocol/api/people.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { LocalService } from '../testing/local-service.ts'

const PASSWORD = 'four words that stay'
let service: LocalService
let count = 0
/** Of the person of the test that runs; each has one of its own, so that waits do not reach over. */
let name = ''

beforeAll(async () => {
  service = await LocalService.start()
})

afterAll(async () => {
  await service?.[Symbol.asyncDispose]()
})

beforeEach(async () => {
  count += 1
  name = `ann${count}`
  await service.api<PersonCreated>('POST', '/v1/people', { name, role: 'user', password: PASSWORD })
})

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Readonly<Record<string, unknown>>
}

/** Without the administrator's token, from an address of its own: waits are by address. */
function ask(
  method: string,
  path: string,
  options: { body?: unknown; headers?: Record<string, string>; from?: string } = {},
): Promise<Answer> {
  const { body, headers = {}, from = `127.0.0.${10 + count}` } = options
  return new Promise((resolve, reject) => {
    const call = request(
      service.url + path,
      { method, localAddress: from, headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers } },
      (response) => {
        let text = ''
        response.on('data', (chunk) => (text += String(chunk)))
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text === '' ? {} : JSON.parse(text) }),
        )
      },
    )
    call.on('error', reject)
    call.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

const signIn = (parts: Record<string, unknown> = {}) => ask('POST', '/v1/sign-in', { body: { name, password: PASSWORD, ...parts } })
const bearer = (token: unknown) => ({ authorization: `Bearer ${String(token)}` })

async function tokenOf(): Promise<string> {
  const { status, body } = await signIn()
  expect(status, JSON.stringify(body)).toBe(200)
  return String(body['token'])
}

async function audited(action: string): Promise<readonly { who: string; target: string; details: Record<string, unknown> }[]> {
  const { items } = await service.api<{ items: { action: string; who: string; target: string; details: Record<string, unknown> }[] }>(
    'GET',
    '/v1/audit',
  )
  return items.filter((item) => item.action === action)
}

test('who signs in with the right password is who he is, with his role', async () => {
  const { body } = await signIn({ name: ` ${name.toUpperCase()} ` })

  const who = await ask('GET', '/v1/sign-in', { headers: bearer((body as SignedIn).token) })
  expect(who.body).toMatchObject({ name, kind: 'person', role: 'user' })
  expect((await ask('GET', '/v1/gateways', { headers: bearer((body as SignedIn).token) })).status).toBe(200)
  expect((await ask('GET', '/v1/people', { headers: bearer((body as SignedIn).token) })).status).toBe(403)
  expect((await service.api<PersonView>('GET', `/v1/people/${name}`)).signedInAt).not.toBeNull()
})

test('a wrong password and a name that there is not get the same answer, and neither is written down', async () => {
  const wrong = await signIn({ password: 'my secret that slipped' })
  const nobody = await signIn({ name: 'my secret that slipped' })

  for (const { status, body } of [wrong, nobody]) {
    expect(status).toBe(401)
    expect(body).toMatchObject({ code: 'SIGN_IN_REFUSED', detail: 'Name or password is wrong.' })
  }
  const refused = await audited('sign-in.refused')
  expect(refused.map(({ target }) => target)).toEqual(expect.arrayContaining([`person ${name}`, 'person unknown']))
  expect(JSON.stringify(refused)).not.toContain('slipped')
})

test('after five wrong passwords the next try waits, the right one too, and only from there', async () => {
  for (let n = 0; n < 6; n += 1) await signIn({ password: `wrong ${n}` })

  const waiting = await signIn()

  expect(waiting.status).toBe(429)
  expect(waiting.body).toMatchObject({ code: 'TOO_MANY_TRIES' })
  expect(Number(waiting.headers['retry-after'])).toBeGreaterThan(0)
  expect((await ask('POST', '/v1/sign-in', { body: { name, password: PASSWORD }, from: '127.0.1.1' })).status).toBe(200)
})

test('many wrong passwords at the same moment are not more than one after the other', async () => {
  const tries = await Promise.all(Array.from({ length: 20 }, (_, n) => signIn({ password: `wrong ${n}` })))

  expect(tries.filter(({ status }) => status === 401).length).toBeLessThanOrEqual(6)
  expect(tries.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(14)
})

test('a password that was given is good for one sign-in, at which a new one must be chosen', async () => {
  const { oncePassword } = await service.api<PersonCreated>('POST', `/v1/people/${name}/password`)

  const without = await signIn({ password: oncePassword })
  const weak = await signIn({ password: oncePassword, newPassword: 'Password2026!' })
  const good = await signIn({ password: oncePassword, newPassword: 'quite another four words' })

  expect(without.body).toMatchObject({ code: 'PASSWORD_CHANGE_NEEDED', status: 403 })
  expect(weak.body).toMatchObject({ code: 'PASSWORD_REFUSED', status: 400 })
  expect(good.status).toBe(200)
  expect((await signIn({ password: oncePassword })).status).toBe(401)
  expect((await signIn({ password: PASSWORD })).status).toBe(401)
  expect((await signIn({ password: 'quite another four words' })).status).toBe(200)
})

test('changing the password asks for the old one and ends the other sign-ins', async () => {
  const [here, there] = [await tokenOf(), await tokenOf()]
  const change = (password: string) =>
    ask('POST', '/v1/sign-in/password', { headers: bearer(here), body: { password, newPassword: 'quite another four words' } })

  expect((await change('not the old one')).status).toBe(401)
  expect((await change(PASSWORD)).status).toBe(204)

  expect((await ask('GET', '/v1/sign-in', { headers: bearer(here) })).status).toBe(200)
  expect((await ask('GET', '/v1/sign-in', { headers: bearer(there) })).status).toBe(401)
  expect((await signIn()).status).toBe(401)
})

test('own sign-ins are listed and ended: one, the others, this one', async () => {
  const [one, two, three, four] = [await tokenOf(), await tokenOf(), await tokenOf(), await tokenOf()]
  const list = async () => (await ask('GET', '/v1/sign-ins', { headers: bearer(one) })).body['items'] as SignInView[]
  const known = async (token: string) => (await ask('GET', '/v1/sign-in', { headers: bearer(token) })).status === 200
  const [newest] = await list()

  await ask('DELETE', `/v1/sign-ins/${newest?.id}`, { headers: bearer(one) })
  expect([await known(three), await known(four)]).toEqual([true, false])
  expect((await ask('DELETE', '/v1/sign-ins?others=true', { headers: bearer(one) })).body).toEqual({ ended: 2 })
  expect([await known(one), await known(two), await known(three)]).toEqual([true, false, false])
  expect((await list()).map(({ current }) => current)).toEqual([true])
  await ask('DELETE', '/v1/sign-in', { headers: bearer(one) })
  expect(await known(one)).toBe(false)
})

test("nobody ends another's sign-in by its id", async () => {
  const token = await tokenOf()
  const [mine] = (await ask('GET', '/v1/sign-ins', { headers: bearer(token) })).body['items'] as SignInView[]
  await service.api('POST', '/v1/people', { name: `eve${count}`, role: 'user', password: PASSWORD })
  const eve = (await signIn({ name: `eve${count}` })).body['token']

  const answer = await ask('DELETE', `/v1/sign-ins/${mine?.id}`, { headers: bearer(eve) })

  expect(answer.body).toMatchObject({ code: 'SIGN_IN_UNKNOWN', status: 404 })
  expect((await ask('GET', '/v1/sign-in', { headers: bearer(token) })).status).toBe(200)
})

test.each([
  ['disabled', () => service.api('PATCH', `/v1/people/${name}`, { disabled: true })],
  ['deleted', () => service.fetch('DELETE', `/v1/people/${name}`)],
  ['given a new password', () => service.api('POST', `/v1/people/${name}/password`)],
  ['signed out by an administrator', () => service.api('DELETE', `/v1/people/${name}/sign-ins`)],
])('who is %s is out at once', async (_, act) => {
  const token = await tokenOf()
  expect((await ask('GET', '/v1/sign-in', { headers: bearer(token) })).status).toBe(200)

  await act()

  expect((await ask('GET', '/v1/sign-in', { headers: bearer(token) })).status).toBe(401)
})

test.each([
  ['disabled', `disabled = true`],
  ['given another password', `password = 'another'`],
])('who is %s while the old password is being compared does not get in', async (_, change) => {
  const other = await service.database.connect()
  await other.query(`begin; update person set ${change} where name = '${name}'`)

  const signing = signIn()
  const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
  await waitFor('the sign-in waits for the account', async () => (await service.database.query(waiting)).length === 1)
  await other.query('commit')

  expect((await signing).body).toMatchObject({ code: 'SIGN_IN_REFUSED' })
  await service.database.query(`update person set disabled = false where name = '${name}'`)
  const rows = await service.database.query(`select from sign_in s join person p on p.id = s.person_id where p.name = '${name}'`)
  expect(rows).toHaveLength(0)
})

test('an old password that is taken away while its owner changes it chooses no new one', async () => {
  const token = await tokenOf()
  const other = await service.database.connect()
  await other.query(`begin; update person set password = 'another' where name = '${name}'`)

  const changing = ask('POST', '/v1/sign-in/password', {
    headers: bearer(token),
    body: { password: PASSWORD, newPassword: 'quite another four words' },
  })
  const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
  await waitFor('the change waits for the account', async () => (await service.database.query(waiting)).length === 1)
  await other.query('commit')

  expect((await changing).status).toBe(401)
  expect(await service.database.query(`select password from person where name = '${name}'`)).toEqual([{ password: 'another' }])
})

test('a sign-in ends when it was idle for too long, and when it is too old', async () => {
  const [idle, old, fresh] = [await tokenOf(), await tokenOf(), await tokenOf()]
  const [third, second, first] = (await ask('GET', '/v1/sign-ins', { headers: bearer(fresh) })).body['items'] as SignInView[]
  await service.api('PATCH', '/v1/sign-in/settings', { idleSeconds: 600, lifeSeconds: 86_400 })

  await service.database.query(`update sign_in set used_at = now() - interval '601 seconds' where id = '${first?.id}'`)
  await service.database.query(`update sign_in set expires_at = now() - interval '1 second' where id = '${second?.id}'`)

  const status = async (token: string) => (await ask('GET', '/v1/sign-in', { headers: bearer(token) })).status
  expect([await status(idle), await status(old), await status(fresh)]).toEqual([401, 401, 200])
  expect((await ask('GET', '/v1/sign-ins', { headers: bearer(fresh) })).body['items']).toMatchObject([{ id: third?.id }])
})

test('being used keeps a sign-in alive', async () => {
  const token = await tokenOf()
  await service.database.query(`update sign_in set used_at = now() - interval '120 seconds'`)

  await ask('GET', '/v1/sign-in', { headers: bearer(token) })

  const [row] = await service.database.query<{ recent: boolean }>(
    `select used_at > now() - interval '10 seconds' as recent from sign_in s join person p on p.id = s.person_id where p.name = '${name}'`,
  )
  expect(row?.recent).toBe(true)
})

test('a browser gets a cookie that scripts and other sites cannot reach, and no token', async () => {
  const { status, headers, body } = await ask('POST', '/v1/sign-in', {
    body: { name, password: PASSWORD, as: 'cookie' },
    headers: { origin: service.url },
  })

  expect(status).toBe(200)
  expect(body['token']).toBeUndefined()
  const [cookie] = headers['set-cookie'] as string[]
  expect(cookie).toMatch(/^postern=pts_[\w-]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict$/)
  const sent = { cookie: cookie?.split(';')[0] ?? '' }
  expect((await ask('GET', '/v1/sign-in', { headers: sent })).body).toMatchObject({ name })
})

test.each([
  ['no word of where it comes from', {}, 403],
  ['another site', { origin: 'https://evil.example' }, 403],
  ['another port of this host', { origin: 'http://127.0.0.1:1' }, 403],
  ['no origin at all (a sandbox)', { origin: 'null' }, 403],
  ['a cross-site fetch', { 'sec-fetch-site': 'cross-site' }, 403],
  ['a neighbour', { 'sec-fetch-site': 'same-site' }, 403],
  ['our page', { 'sec-fetch-site': 'same-origin' }, 200],
])('with a cookie, a change that comes from %s', async (_, headers, status) => {
  const token = await tokenOf()
  const sent = { cookie: `postern=${token}`, ...headers }

  const answer = await ask('DELETE', '/v1/sign-ins?others=true', { headers: sent })

  expect(answer.status, JSON.stringify(answer.body)).toBe(status)
  if (status === 403) expect(answer.body['code']).toBe('CROSS_SITE_REFUSED')
  // Looking changes nothing, and other sites cannot read the answer.
  expect((await ask('GET', '/v1/sign-in', { headers: sent })).status).toBe(200)
})

test('two cookies of the same name are none: a neighbour may have set one', async () => {
  const token = await tokenOf()

  expect((await ask('GET', '/v1/sign-in', { headers: { cookie: `postern=${token}; postern=pts_planted` } })).status).toBe(401)
})

test('the last who administers stays: with the tokens gone, neither deleted, disabled nor made less', async () => {
  await using alone = await LocalService.start()
  await alone.api('POST', '/v1/people', { name: 'root', role: 'administrator', password: PASSWORD })
  await alone.database.query(`update token set expires_at = now() + interval '5 minutes'`)
  const { token } = (await (await fetch(`${alone.url}/v1/sign-in`, json({ name: 'root', password: PASSWORD }))).json()) as { token: string }
  await alone.database.query('delete from token')
  const act = (method: string, path: string, body?: unknown) => alone.fetch(method, path, body, bearer(token))

  for (const answer of [
    await act('DELETE', '/v1/people/root'),
    await act('PATCH', '/v1/people/root', { disabled: true }),
    await act('PATCH', '/v1/people/root', { role: 'user' }),
  ])
    expect(await answer.json()).toMatchObject({ code: 'ADMINISTRATOR_LAST', status: 409 })

  await act('POST', '/v1/people', { name: 'other', role: 'administrator', password: PASSWORD })
  expect((await act('DELETE', '/v1/people/root')).status).toBe(204)
})

const json = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

test('neither passwords nor tokens stand in the database in clear', async () => {
  const token = await tokenOf()

  const rows = await service.database.query(`select to_jsonb(p) as a, (select jsonb_agg(to_jsonb(s)) from sign_in s) as b from person p`)
  const dump = JSON.stringify(rows) + JSON.stringify(await service.database.query('select * from audit'))

  expect(dump).toContain('$argon2id$v=19$m=19456,t=2,p=1$')
  expect(dump).not.toContain(PASSWORD)
  expect(dump).not.toContain(token)
})
