/** Rights on the wire and at the command line, on real processes; and what of it stands in the audit. */
import { type IncomingMessage, request } from 'node:http'
import type { AuditView } from '@postern/protocol/api/audit.ts'
import type { TokenCreated } from '@postern/protocol/api/tokens.ts'
import { CONNECT_PROTOCOL } from '@postern/protocol/link.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { waitFor } from './wait-for.ts'
import { lastError, refusalOf, wireClient } from './wire-client.ts'

let cluster: Cluster
let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
  cluster = await Cluster.start({ nodes: ['n1'] })
  await cluster.postgresStore('shop', database)
  await cluster.postgresStore('till', database)
}, 120_000)

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
})

async function said<Answer>(...args: readonly string[]): Promise<Answer> {
  const { code, stdout, stderr } = await cluster.cli([...args, '--json'])
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`)
  return JSON.parse(stdout) as Answer
}
const tokenOn = (name: string, ...roles: readonly string[]) =>
  said<TokenCreated>('token', 'create', name, ...roles.flatMap((role) => ['--on', role]))
const doorOf = ({ token }: TokenCreated) => ({ token, postgresPort: cluster.service.postgresPort })
const refused = async () =>
  (await said<AuditView[]>('audit', 'list', '--outcome', 'refused', '--limit', '1000')).map(({ who, action, target, details }) => [
    who,
    action,
    target,
    details['code'],
  ])

/** As `postern connect` asks, for each connection that it takes. */
function upgraded(store: string, { token }: TokenCreated): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const headers = { authorization: `Bearer ${token}`, connection: 'Upgrade', upgrade: CONNECT_PROTOCOL }
  const asked = request(`${cluster.service.url}/v1/stores/${store}/connect`, { headers, agent: false })
  const answered = (response: IncomingMessage) => {
    response.destroy()
    resolve(`${response.statusCode} ${response.statusMessage}`)
  }
  asked.once('response', answered).once('upgrade', answered).once('error', reject).end()
  return promise
}

test('the wire lets in who may query the store, and tells others as little as HTTP does', async () => {
  const user = await tokenOn('wire-user', 'store-user=store/shop')
  const reader = await tokenOn('wire-reader', 'reader=store/shop')

  const client = await wireClient(doorOf(user))
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await client.end()
  expect((await refusalOf(doorOf(reader)))?.message).toContain('It needs stores:query on store shop, which wire-reader has not got.')
  const hidden = (await refusalOf(doorOf(user), { store: 'till' }))?.message
  expect(hidden).toBe((await refusalOf(doorOf(user), { store: 'nowhere' }))?.message?.replace('nowhere', 'till'))

  const opened = await waitFor(
    'its records',
    () => said<AuditView[]>('audit', 'list', '--who', 'wire-user', '--action', 'session', '--outcome', 'done'),
    (records) => records.length === 2,
  )
  expect(opened.map(({ action, target, whoId }) => [action, target, whoId])).toEqual([
    ['session.close', 'store shop', user.id],
    ['session.open', 'store shop', user.id],
  ])
  expect(await refused()).toEqual(
    expect.arrayContaining([
      ['wire-reader', 'session.open', 'store shop', 'NOT_ALLOWED'],
      ['wire-user', 'session.open', 'store till', 'STORE_UNKNOWN'],
    ]),
  )
})

test('`connect` obeys the same rights', async () => {
  const reader = await tokenOn('connect-reader', 'reader=store/shop')
  const user = await tokenOn('connect-user', 'store-user=store/shop')

  expect(await upgraded('shop', reader)).toBe('403 NOT_ALLOWED')
  expect(await upgraded('till', reader)).toBe('404 STORE_UNKNOWN')
  expect(await upgraded('shop', user)).toBe('101 Switching Protocols')
})

test('an open connection ends when its rights are withdrawn', async () => {
  const kept = await tokenOn('kept', 'store-user=store/shop')
  const lost = await tokenOn('lost', 'reader=store/shop')
  const { id } = await said<{ id: string }>('grant', 'give', 'store-user', '--to', 'token/lost', '--on', 'store/shop')
  const stays = await wireClient(doorOf(kept))
  const goes = await waitFor('the grant', () => wireClient(doorOf(lost)))
  const ended = lastError(goes)

  await said('grant', 'take', id)

  expect(String(await ended)).toContain('stores:query')
  expect((await stays.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await stays.end()
})

test('groups, grants and the audit at the command line', async () => {
  const ci = await tokenOn('ci', 'reader=store/till')
  await said('group', 'create', 'analysts', '--description', 'look at sales')
  await said('group', 'join', 'analysts', 'token/ci')
  await said('grant', 'give', 'store-user', '--to', 'group/analysts', '--on', 'store/shop')
  const as = { env: { POSTERN_TOKEN: ci.token } }
  await waitFor(
    'the rights',
    async () => (await cluster.cli(['query', 'shop', 'select 1 as one'], as)).code,
    (code) => code === 0,
  )

  const over = await cluster.cli(['grant', 'give', 'store-user', '--to', 'token/ci', '--on', 'store/shop'], as)
  const shown = await cluster.cli(['group', 'show', 'analysts'])
  const exported = await cluster.cli(['audit', 'export', '--who', 'ci', '--queries', '--format', 'csv'])
  const lines = exported.stdout.trimEnd().split('\r\n')

  expect([over.code, shown.code, exported.code]).toEqual([4, 0, 0])
  expect(over.stderr).toContain('an admin of its gateway')
  expect(shown.stdout).toContain('token/ci')
  expect(lines[0]).toBe('at,who,whoId,action,target,ip,outcome,id,details')
  expect(lines.filter((line) => line.includes(',store.query,store shop,127.0.0.1,done,')).length).toBeGreaterThan(0)
  expect(lines.filter((line) => line.includes(',POST /v1/grants,') && line.includes(',refused,')).length).toBe(1)
})
