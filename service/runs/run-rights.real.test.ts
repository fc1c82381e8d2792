/** A copy does not outlive the rights that it was begun with, whichever way they went. */
import type { AuditView } from '@postern/protocol/api/audit.ts'
import type { GrantView } from '@postern/protocol/api/grants.ts'
import type { SignedIn } from '@postern/protocol/api/people.ts'
import type { RunView } from '@postern/protocol/api/runs.ts'
import type { TokenCreated } from '@postern/protocol/api/tokens.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type FakeNode, moved, planOf, verified } from '../testing/fake-node.ts'
import { LocalService } from '../testing/local-service.ts'
import { COPY } from '../testing/run-rig.ts'

const PASSWORD = 'four words that stay'
const BOTH = ['store/shop', 'store/lake'] as const
let service: LocalService
let node: FakeNode
let count = 0
/** Of each test. */
let ann = ''

beforeAll(async () => {
  service = await LocalService.start()
  const [first] = await service.gateway(1)
  if (!first) throw new Error('There is no node.')
  node = first
  await waitFor('the node dispatches', async () => (await node.beat()).dispatcher.mine)
}, 180_000)

afterAll(async () => {
  await service?.[Symbol.asyncDispose]()
})

beforeEach(async () => {
  count += 1
  ann = `ann${count}`
  await service.api('POST', '/v1/people', { name: ann, role: 'none', password: PASSWORD })
})

const give = (to: string, role: string, on: string) => service.api<GrantView>('POST', '/v1/grants', { to, role, on })
const giveBoth = async (to: string) => (await Promise.all(BOTH.map((on) => give(to, 'store-user', on)))).map(({ id }) => id)
const signIn = async (name = ann) =>
  String((await service.api<SignedIn>('POST', '/v1/sign-in', { name, password: PASSWORD, as: 'token' })).token)
const makeToken = (name: string, more: object) => service.api<TokenCreated>('POST', '/v1/tokens', { name, ...more })

async function as<Answer>(token: string, method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await service.fetch(method, path, body, { authorization: `Bearer ${token}` })
  const text = await response.text()
  if (!response.ok) throw new Error(`${response.status} ${text}`)
  return (text === '' ? undefined : JSON.parse(text)) as Answer
}
/** What is known of who asks is at most a second old. */
const copy = (token: string, more = {}) =>
  waitFor('the copy is taken', () =>
    as<RunView>(token, 'POST', '/v1/copies', { ...COPY, ...more }).catch(() => undefined),
  ) as Promise<RunView>
const get = ({ id }: RunView) => service.api<RunView>('GET', `/v1/runs/${id}`)
const ended = (run: RunView) =>
  waitFor(
    'it has ended',
    () => get(run),
    ({ endedAt }) => endedAt !== null,
  )
/** As long as two looks take. */
const afterLooks = () => new Promise((resolve) => setTimeout(resolve, 5_000))

test('a right on one of its stores that is taken away cancels a run, says why, and stands in the audit', async () => {
  const [, onLake] = await giveBoth(`person/${ann}`)
  const run = await copy(await signIn())
  const order = await node.pullOne('plan')
  await node.started(order)
  await node.finished(order, planOf([1]))

  await service.api('DELETE', `/v1/grants/${onLake}`)
  const seen = await ended(run)
  const audit = await service.api<{ items: AuditView[] }>('GET', `/v1/audit?target=${encodeURIComponent(`run ${run.id}`)}`)

  expect(seen).toMatchObject({ status: 'cancelled', fault: { code: 'RIGHTS_WITHDRAWN' } })
  expect(seen.fault?.message).toContain(`${ann} has not got runs:write on store lake any more.`)
  // What was written aside is taken away.
  expect(seen.tasks.map(({ kind, status }) => `${kind} ${status}`)).toContainEqual(expect.stringMatching(/^cleanup (waiting|ready)$/))
  expect(audit.items[0]).toMatchObject({ who: 'service', action: 'run.cancel', details: { code: 'RIGHTS_WITHDRAWN', actingFor: ann } })
})

interface Way {
  readonly way: string
  /** Gives a token, and how what it may goes away. */
  readonly set: () => Promise<{ readonly token: string; readonly withdraw: () => Promise<unknown> }>
  readonly says: RegExp
}

const ways: readonly Way[] = [
  {
    way: 'an account that is disabled',
    set: async () => {
      await giveBoth(`person/${ann}`)
      return { token: await signIn(), withdraw: () => service.api('PATCH', `/v1/people/${ann}`, { disabled: true }) }
    },
    says: /The account ann\d+ was disabled or deleted/,
  },
  {
    way: 'an account that is deleted',
    set: async () => {
      await giveBoth(`person/${ann}`)
      return { token: await signIn(), withdraw: () => service.api('DELETE', `/v1/people/${ann}`) }
    },
    says: /The account ann\d+ was disabled or deleted/,
  },
  {
    way: 'a role on the whole service that is made less',
    set: async () => {
      await service.api('PATCH', `/v1/people/${ann}`, { role: 'user' })
      return { token: await signIn(), withdraw: () => service.api('PATCH', `/v1/people/${ann}`, { role: 'reader' }) }
    },
    says: /ann\d+ has not got runs:write on store (shop|lake) any more/,
  },
  {
    way: 'a group that is left',
    set: async () => {
      const group = `group${count}`
      const member = `/v1/groups/${group}/members/person%2F${ann}`
      await service.api('POST', '/v1/groups', { name: group })
      await giveBoth(`group/${group}`)
      await service.api('PUT', member)
      return { token: await signIn(), withdraw: () => service.api('DELETE', member) }
    },
    says: /has not got runs:write/,
  },
  {
    way: 'a service token that is deleted',
    set: async () => {
      const { id, token } = await makeToken(`ci${count}`, { roles: BOTH.map((on) => ({ role: 'store-user', on })) })
      return { token, withdraw: () => service.api('DELETE', `/v1/tokens/${id}`) }
    },
    says: /The token ci\d+ was deleted/,
  },
  {
    way: "a person's own token that is deleted, though the person stays",
    set: async () => {
      await giveBoth(`person/${ann}`)
      const { id, token } = await as<TokenCreated>(await signIn(), 'POST', '/v1/tokens', { name: 'laptop', forMe: true })
      return { token, withdraw: () => service.api('DELETE', `/v1/tokens/${id}`) }
    },
    says: /The token ann\d+\/laptop was deleted/,
  },
  {
    way: "the account of a person's own token that is disabled",
    set: async () => {
      await giveBoth(`person/${ann}`)
      const { token } = await as<TokenCreated>(await signIn(), 'POST', '/v1/tokens', { name: 'laptop', forMe: true })
      return { token, withdraw: () => service.api('PATCH', `/v1/people/${ann}`, { disabled: true }) }
    },
    says: /The account of the token ann\d+\/laptop was disabled or deleted/,
  },
]

test.each(ways)('$way cancels what it has begun', async ({ set, says }) => {
  const { token, withdraw } = await set()
  const run = await copy(token)
  const other = await service.api<RunView>('POST', '/v1/copies', COPY)

  await withdraw()
  const seen = await ended(run)

  expect(seen.status).toBe('cancelled')
  expect(seen.fault?.message).toMatch(says)
  expect((await get(other)).status).toBe('queued')
  await service.api('POST', `/v1/runs/${other.id}/cancel`)
})

test('who signed out, whose token is over by its time, and who lost a role elsewhere has lost nothing: it goes on', async () => {
  await giveBoth(`person/${ann}`)
  const { id: elsewhere } = await give(`person/${ann}`, 'store-creator', 'gateway/demo')
  const signedIn = await signIn()
  const token = await makeToken(`short${count}`, { roles: BOTH.map((on) => ({ role: 'store-user', on })) })
  const runs = [await copy(signedIn), await copy(token.token)]

  await as(signedIn, 'DELETE', '/v1/sign-in')
  await service.api('DELETE', `/v1/grants/${elsewhere}`)
  await service.database.query(`update token set expires_at = now() - interval '1 second' where id = $1`, [token.id])
  await afterLooks()

  expect(await Promise.all(runs.map(async (run) => (await get(run)).status))).toEqual(['queued', 'queued'])
  for (const { id } of runs) await service.api('POST', `/v1/runs/${id}/cancel`)
})

test('who may goes on with it in his own name: then his rights count, and not those of who began it', async () => {
  const bob = `bob${count}`
  await service.api('POST', '/v1/people', { name: bob, role: 'none', password: PASSWORD })
  await giveBoth(`person/${ann}`)
  const bobs = await giveBoth(`person/${bob}`)
  const run = await copy(await signIn())
  await service.api('PATCH', `/v1/people/${ann}`, { disabled: true })
  await ended(run)

  await as(await signIn(bob), 'POST', `/v1/runs/${run.id}/rerun`)
  await afterLooks()
  const goesOn = await get(run)
  for (const id of bobs) await service.api('DELETE', `/v1/grants/${id}`)
  const over = await ended(run)

  expect(goesOn).toMatchObject({ status: 'queued', startedBy: ann, fault: null })
  expect(over.fault?.message).toContain(`${bob} has not got runs:write`)
})

test('where rows go that do not fit counts too; a store that was deleted is for the copy itself to find', async () => {
  const set = { kind: 'files', gateway: 'demo', settings: { path: '/srv/x' } }
  for (const name of [`aside${count}`, `gone${count}`]) await service.api('POST', '/v1/stores', { ...set, name })
  await giveBoth(`person/${ann}`)
  const { id } = await give(`person/${ann}`, 'store-user', `store/aside${count}`)
  await give(`person/${ann}`, 'store-user', `store/gone${count}`)
  const token = await signIn()
  const aside = await copy(token, { skipIncompatibleRows: { limit: 10, rejects: { store: `aside${count}`, path: 'rejects' } } })
  const gone = await copy(token, { sink: `gone${count}` })

  await service.api('DELETE', `/v1/grants/${id}`)
  await service.api('DELETE', `/v1/stores/gone${count}`)
  const seen = await ended(aside)

  expect(seen.fault?.message).toContain(`runs:write on store aside${count}`)
  expect((await get(gone)).status).toBe('queued')
})

test('a run whose rights stay goes through to its end', async () => {
  await giveBoth(`person/${ann}`)
  const run = await copy(await signIn())
  await afterLooks()
  for (let pulled = await node.pull(); ; pulled = await node.pull()) {
    for (const order of pulled.filter((one) => one.run === run.id)) {
      await node.started(order)
      await node.finished(order, order.kind === 'plan' ? planOf([1]) : order.kind === 'part' ? moved(1) : verified())
    }
    if ((await get(run)).endedAt !== null) break
  }

  expect(await get(run)).toMatchObject({ status: 'succeeded', fault: null })
})
