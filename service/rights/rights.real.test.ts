import type { GrantView, GroupView } from '@postern/protocol/api/grants.ts'
import type { PersonDetail, SignedIn, WhoAmI } from '@postern/protocol/api/people.ts'
import type { RunSummary, RunView } from '@postern/protocol/api/runs.ts'
import type { StoreView } from '@postern/protocol/api/stores.ts'
import type { TokenCreated, TokenView } from '@postern/protocol/api/tokens.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { LocalService } from '../testing/local-service.ts'

const PASSWORD = 'four words that stay'
let service: LocalService
let count = 0
/** A person and a group of each test. */
let person = ''
let group = ''
/** Her sign-in. */
let hers: Caller

beforeAll(async () => {
  service = await LocalService.start()
  await service.gateway(1)
  await service.api('POST', '/v1/gateways', { name: 'other' })
  await service.api('POST', '/v1/stores', { kind: 'files', gateway: 'other', name: 'far', settings: { path: '/srv/far' } })
}, 180_000)

afterAll(async () => {
  await service?.[Symbol.asyncDispose]()
})

beforeEach(async () => {
  count += 1
  person = `ann${count}`
  group = `group${count}`
  await service.api('POST', '/v1/people', { name: person, role: 'none', password: PASSWORD })
  await service.api('POST', '/v1/groups', { name: group })
  const signedIn = await service.api<SignedIn>('POST', '/v1/sign-in', { name: person, password: PASSWORD, as: 'token' })
  hers = as(String(signedIn.token))
})

interface Caller {
  readonly status: (method: string, path: string, body?: unknown) => Promise<number>
  readonly get: <Answer>(path: string) => Promise<Answer>
  readonly send: (method: string, path: string, body?: unknown) => Promise<Response>
}

function as(token: string): Caller {
  const send = (method: string, path: string, body?: unknown) => service.fetch(method, path, body, { authorization: `Bearer ${token}` })
  return {
    send,
    status: async (method, path, body) => {
      const response = await send(method, path, body)
      await response.text()
      return response.status
    },
    get: async <Answer>(path: string) => (await (await send('GET', path)).json()) as Answer,
  }
}

const give = (to: string, role: string, on: string) => service.api<GrantView>('POST', '/v1/grants', { to, role, on })
/** What is known of a caller is at most a second old. */
const soon = async (caller: Caller, path: string, status: number) =>
  await waitFor(`${path} answers ${status}`, async () => (await caller.status('GET', path)) === status)

test('what is given to a group each member has, and loses with it', async () => {
  await give(`group/${group}`, 'store-user', 'store/shop')
  expect(await hers.status('GET', '/v1/stores/shop')).toBe(404)

  const joined = await service.api<GroupView>('PUT', `/v1/groups/${group}/members/person%2F${person}`)
  await soon(hers, '/v1/stores/shop', 200)
  const during = await service.api<PersonDetail>('GET', `/v1/people/${person}`)
  await service.api('DELETE', `/v1/groups/${group}/members/person%2F${person}`)
  await soon(hers, '/v1/stores/shop', 404)

  expect(joined.memberList).toEqual([{ who: `person/${person}`, source: 'local' }])
  expect(during.groups).toEqual([{ name: group, source: 'local' }])
})

test('one is told what one may, everywhere and at each place, as the doors would answer', async () => {
  await give(`group/${group}`, 'store-owner', 'store/shop')
  await give(`person/${person}`, 'store-user', 'gateway/other')
  await service.api('PUT', `/v1/groups/${group}/members/person%2F${person}`)
  await soon(hers, '/v1/stores/shop', 200)

  const { may } = await hers.get<WhoAmI>('/v1/sign-in')
  const on = (place: string) => may.places.find(({ on }) => on === place)?.permissions ?? []

  expect(may.service).toEqual([])
  expect(may.places.map(({ on }) => on)).toEqual(['gateway/demo', 'gateway/other', 'store/shop'])
  expect(on('gateway/demo')).toEqual(['gateways:read'])
  expect(on('gateway/other')).toEqual(expect.arrayContaining(['stores:query', 'runs:write']))
  expect(on('store/shop')).toEqual(expect.arrayContaining(['stores:write', 'grants:write']))
  expect([...on('gateway/other'), ...on('store/shop')]).not.toContain('gateways:write')
})

test('lists show what may be seen, in full pages', async () => {
  for (const name of ['a', 'b', 'c']) {
    await service.api('POST', '/v1/stores', { kind: 'files', gateway: 'demo', name: `${name}${count}`, settings: { path: '/srv/x' } })
    if (name !== 'b') await give(`person/${person}`, 'reader', `store/${name}${count}`)
  }
  await soon(hers, `/v1/stores/c${count}`, 200)

  const first = await hers.get<{ items: StoreView[]; nextCursor: string }>('/v1/stores?limit=1')
  const second = await hers.get<{ items: StoreView[]; nextCursor: string | null }>(`/v1/stores?limit=1&cursor=${first.nextCursor}`)

  expect([first.items[0]?.name, second.items[0]?.name, second.nextCursor]).toEqual([`a${count}`, `c${count}`, null])
})

test('who creates a store without other rights there owns it: settings, roles, deletion', async () => {
  await give(`person/${person}`, 'store-creator', 'gateway/demo')
  await soon(hers, '/v1/gateways/demo', 200)
  const store = { kind: 'files', gateway: 'demo', name: `own${count}`, settings: { path: '/srv/own' } }

  expect(await hers.status('POST', '/v1/stores', { ...store, gateway: 'other' })).toBe(404)
  expect(await hers.status('POST', '/v1/stores', store)).toBe(201)
  await soon(hers, `/v1/stores/own${count}`, 200)

  expect(await hers.status('GET', '/v1/stores/shop')).toBe(404)
  expect(await hers.status('POST', '/v1/grants', { to: `group/${group}`, role: 'store-user', on: `store/own${count}` })).toBe(201)
  expect(await hers.status('DELETE', `/v1/stores/own${count}`)).toBe(204)
})

test('nobody gives or takes away more than he has, be it to himself', async () => {
  await give(`person/${person}`, 'store-owner', 'store/shop')
  const over = await give(`group/${group}`, 'gateway-admin', 'gateway/demo')
  await soon(hers, '/v1/stores/shop', 200)
  const ask = (role: string, on: string) => hers.status('POST', '/v1/grants', { to: `person/${person}`, role, on })

  expect(await ask('store-user', 'store/shop')).toBe(201)
  expect(await ask('gateway-admin', 'gateway/demo')).toBe(403)
  expect(await ask('administrator', 'service')).toBe(403)
  // Which she may not see.
  expect(await ask('store-owner', 'store/lake')).toBe(404)
  expect(await ask('gateway-admin', 'gateway/other')).toBe(404)
  expect(await hers.status('DELETE', `/v1/grants/${over.id}`)).toBe(404)
  expect(await hers.status('POST', '/v1/tokens', { name: 'mine', role: 'administrator' })).toBe(403)
  expect(await hers.status('PUT', `/v1/groups/${group}/members/person%2F${person}`)).toBe(403)
})

test("a gateway's admin gives roles on his gateway, not on the service", async () => {
  await give(`person/${person}`, 'gateway-admin', 'gateway/demo')
  await soon(hers, '/v1/gateways/demo/keys', 200)
  const ask = (role: string, on: string) => hers.status('POST', '/v1/grants', { to: `group/${group}`, role, on })

  expect([await ask('gateway-admin', 'gateway/demo'), await ask('store-owner', 'store/shop')]).toEqual([201, 201])
  expect([await ask('reader', 'service'), await ask('reader', 'gateway/other'), await ask('reader', 'gateway/nowhere')]).toEqual([
    403, 404, 404,
  ])
})

test("a person's own token does what she may, ends with her account, and cannot make others", async () => {
  await give(`person/${person}`, 'store-user', 'gateway/demo')
  await soon(hers, '/v1/stores/shop', 200)
  const make = async (body: unknown) => (await (await hers.send('POST', '/v1/tokens', body)).json()) as TokenCreated
  const whole = await make({ name: 'laptop', forMe: true })
  const narrow = await make({ name: 'lake', forMe: true, roles: [{ role: 'store-owner', on: 'store/lake' }] })
  const [laptop, lake] = [as(whole.token), as(narrow.token)]

  expect(whole).toMatchObject({ role: 'owner', owner: `person/${person}` })
  expect([await laptop.status('GET', '/v1/stores/shop'), await laptop.status('GET', '/v1/stores/lake')]).toEqual([200, 200])
  expect([await lake.status('GET', '/v1/stores/shop'), await lake.status('GET', '/v1/stores/lake')]).toEqual([404, 200])
  // She is its user only, whatever the token says.
  expect(await lake.status('PATCH', '/v1/stores/lake', {})).toBe(403)
  expect(await laptop.status('POST', '/v1/tokens', { name: 'more', forMe: true })).toBe(403)
  expect((await hers.get<{ items: TokenView[] }>('/v1/tokens')).items.map(({ name }) => name).toSorted()).toEqual(['lake', 'laptop'])

  await service.api('PATCH', `/v1/people/${person}`, { disabled: true })
  await soon(laptop, '/v1/stores/shop', 401)
})

test('a service token is kept to its places and ends when it says', async () => {
  const { token, id } = await service.api<TokenCreated>('POST', '/v1/tokens', {
    name: `ci${count}`,
    roles: [{ role: 'store-user', on: 'store/lake' }],
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
  })
  const ci = as(token)
  expect([await ci.status('GET', '/v1/stores/lake'), await ci.status('GET', '/v1/stores/shop')]).toEqual([200, 404])

  await give(`token/ci${count}`, 'reader', 'store/shop')
  await soon(ci, '/v1/stores/shop', 200)
  await service.database.query(`update token set expires_at = now() where id = '${id}'`)
  await soon(ci, '/v1/stores/shop', 401)
})

test('a copy needs rights on both ends; others see the run who have them too', async () => {
  await give(`person/${person}`, 'store-user', 'store/shop')
  await soon(hers, '/v1/stores/shop', 200)
  const copy = { source: 'shop', sink: 'lake', from: 'a', to: 'a.csv' }
  expect(await hers.status('POST', '/v1/copies', copy)).toBe(404)
  await give(`person/${person}`, 'reader', 'store/lake')
  await soon(hers, '/v1/stores/lake', 200)
  expect(await hers.status('POST', '/v1/copies', copy)).toBe(403)
  // Over the bridge, from another gateway.
  expect(await hers.status('POST', '/v1/copies', { ...copy, source: 'far' })).toBe(404)
  expect(
    await hers.status('POST', '/v1/copies', {
      ...copy,
      sink: 'shop',
      to: 'b',
      skipIncompatibleRows: { rejects: { store: 'lake', path: 'r/' } },
    }),
  ).toBe(403)

  const others = await service.api<RunView>('POST', '/v1/copies', copy)
  const far = await service.api<RunView>('POST', '/v1/copies', { ...copy, source: 'far', from: 'x.csv' })

  expect([await hers.status('GET', `/v1/runs/${others.id}`), await hers.status('GET', `/v1/runs/${far.id}`)]).toEqual([200, 404])
  expect((await hers.get<{ items: RunSummary[] }>('/v1/runs?limit=1000')).items.map(({ id }) => id)).toEqual([others.id])
  expect([await hers.status('POST', `/v1/runs/${others.id}/cancel`), await hers.status('POST', `/v1/runs/${far.id}/cancel`)]).toEqual([
    403, 404,
  ])
})

test('one sees and stops one’s own run also when the rights are gone, but does not run it again', async () => {
  const grants = [await give(`person/${person}`, 'store-user', 'store/shop'), await give(`person/${person}`, 'store-user', 'store/lake')]
  await soon(hers, '/v1/stores/lake', 200)
  const run = (await (await hers.send('POST', '/v1/copies', { source: 'shop', sink: 'lake', from: 'a', to: 'a.csv' })).json()) as RunView
  for (const { id } of grants) await service.api('DELETE', `/v1/grants/${id}`)
  await soon(hers, '/v1/stores/lake', 404)

  expect(await hers.status('GET', `/v1/runs/${run.id}`)).toBe(200)
  expect(await hers.status('POST', `/v1/runs/${run.id}/rerun`)).toBe(403)
  // The service ends what has lost its rights, and may have been quicker; forbidden it is not.
  expect([202, 409]).toContain(await hers.status('POST', `/v1/runs/${run.id}/cancel`))
})

test('events tell of what one may see', async () => {
  const heard: string[] = []
  const left = new AbortController()
  await give(`person/${person}`, 'store-user', 'store/shop')
  await give(`person/${person}`, 'store-user', 'store/lake')
  await soon(hers, '/v1/stores/lake', 200)
  const response = await hers.send('GET', '/v1/events')
  const reading = (async () => {
    for await (const bytes of response.body ?? []) {
      if (left.signal.aborted) return
      heard.push(Buffer.from(bytes as Uint8Array).toString())
    }
  })().catch(() => undefined)

  const far = await service.api<RunView>('POST', '/v1/copies', { source: 'far', sink: 'lake', from: 'x.csv', to: 'x.csv' })
  const seen = await service.api<RunView>('POST', '/v1/copies', { source: 'shop', sink: 'lake', from: 'a', to: 'a.csv' })
  await service.api('POST', '/v1/gateways/demo/nodes/a/disable')
  await service.api('POST', '/v1/gateways/demo/nodes/a/enable')
  await waitFor('its event', async () => heard.join('').includes(seen.id))
  await service.api('DELETE', `/v1/people/${person}`)
  // The stream does not outlive her account.
  await waitFor('the end of the stream', async () => {
    await service.api('POST', '/v1/gateways/demo/nodes/a/enable')
    return await Promise.race([reading.then(() => true), new Promise<boolean>((resolve) => setTimeout(resolve, 50, false))])
  })
  left.abort()

  expect(heard.join('')).not.toContain(far.id)
  expect(heard.join('')).not.toContain('event: node')
})
