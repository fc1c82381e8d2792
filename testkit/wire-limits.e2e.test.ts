/** How many connections there may be, and for how long: by the gateway, the store and the token. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { PosternProcess } from './process.ts'
import { waitFor } from './wait-for.ts'
import { lastError, refusalOf, type WireOptions, wireClient } from './wire-client.ts'

let cluster: Cluster
let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
  cluster = await Cluster.start({ nodes: ['n1'] })
  await cluster.postgresStore('shop', database)
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
})

const signIn = (options: WireOptions = {}) => wireClient(cluster.service, options)
const stateOf = async (options: WireOptions = {}) => (await refusalOf(cluster.service, options))?.code ?? 'signed in'

test('connections over a limit are refused, idle and old ones are ended with a reason', async () => {
  await cluster.cli(['gateway', 'set', 'demo', 'sessionsPerCaller=1'])
  await waitFor('nobody is connected', applications, (names) => names.length === 0)
  const client = await signIn()
  expect(await stateOf()).toBe('53300')

  await cluster.cli(['gateway', 'set', 'demo', 'sessionsPerCaller=100', 'sessionsPerStore=1'])
  expect(await stateOf()).toBe('53300')

  await cluster.cli(['gateway', 'set', 'demo', 'sessionsPerStore=100', 'sessionIdleSeconds=1'])
  expect(await lastError(client)).toMatchObject({ code: '57P01', message: expect.stringContaining('sessionIdleSeconds') })

  await cluster.cli(['gateway', 'set', 'demo', 'sessionIdleSeconds=0', 'sessionLifeSeconds=1'])
  const old = await signIn()
  await old.query('begin')
  await sleep(2_500)
  expect((await old.query('select 1 as busy')).rows).toEqual([{ busy: 1 }])
  const told = lastError(old)
  await old.query('commit')
  expect(await told).toMatchObject({ code: '57P01', message: expect.stringContaining('sessionLifeSeconds') })
  await cluster.cli(['gateway', 'set', 'demo', 'sessionLifeSeconds=0'])
})

/** A token with limits of its own. */
async function limited(name: string, ...flags: readonly string[]): Promise<string> {
  const made = await cluster.cli(['token', 'create', name, '--role', 'user', ...flags])
  expect(made.code, made.stderr).toBe(0)
  return made.stdout.trim()
}

const refusal = (password: string) => refusalOf(cluster.service, { password })

test("a token's own limit on connections binds its clients and nobody else, and a place is free again when one leaves", async () => {
  const password = await limited('two', '--connections', '2')
  const clients = [await signIn({ password }), await signIn({ password })]

  expect(await refusal(password)).toMatchObject({
    code: '53300',
    message: expect.stringContaining('The limit is connections 2 of token two.'),
  })
  expect(await stateOf()).toBe('signed in')
  await clients[0]?.end()
  await waitFor(
    'one has left',
    () => stateOf({ password }),
    (state) => state === 'signed in',
  )
  await clients[1]?.end()
})

test('two tokens of one name have a limit each', async () => {
  const [one, other] = [await limited('twin', '--connections', '1'), await limited('twin', '--connections', '1')]
  const client = await signIn({ password: one })

  expect(await stateOf({ password: one })).toBe('53300')
  expect(await stateOf({ password: other })).toBe('signed in')
  await client.end()
})

test("of many that come at once no more are let in than the token's limit", async () => {
  const password = await limited('crowd', '--connections', '3')
  const came = await Promise.allSettled(Array.from({ length: 20 }, () => signIn({ password })))
  const inside = came.filter((one) => one.status === 'fulfilled').map(({ value }) => value)

  expect(inside).toHaveLength(3)
  await Promise.all(inside.map((client) => client.end()))
})

test('a token with --connections 0 may ask queries, but opens no connection', async () => {
  const token = await limited('queries-only', '--connections', '0', '--max-rows', '5')

  expect(await refusal(token)).toMatchObject({ code: '53300' })
  const asked = await cluster.cli(['query', 'shop', 'select 1 as one', '--format', 'csv'], { env: { POSTERN_TOKEN: token } })
  expect(asked.stdout, asked.stderr).toContain('1')
})

test("a store's limit holds for the wire and for `postern connect` together, and from its change on", async () => {
  await waitFor('nobody is connected', applications, (names) => names.length === 0)
  await using opened = new PosternProcess(['connect', 'shop'], { env: cluster.service.env })
  const local = Number((await opened.start()).split(':')[1])
  const { user, password, name } = database
  const byConnect = { postgresPort: local, token: password }
  const first = await wireClient(byConnect, { store: name, user, ssl: false })
  const set = (value: string) => cluster.cli(['store', 'set', 'shop', `limit.connections=${value}`])
  expect((await set('1')).code).toBe(0)

  await waitFor(
    'the wire is refused',
    () => stateOf(),
    (state) => state === '53300',
  )
  expect(await refusalOf(cluster.service)).toMatchObject({ message: expect.stringContaining('The limit is connections 1 of store shop.') })
  expect((await first.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await first.end()
  await waitFor(
    'the wire is let in',
    () => stateOf(),
    (state) => state === 'signed in',
  )
  const second = await signIn()
  await expect(wireClient(byConnect, { store: name, user, ssl: false })).rejects.toThrow()
  await second.end()
  expect((await set('')).code).toBe(0)
})

test('a limit that is none is refused', async () => {
  expect((await cluster.cli(['store', 'set', 'shop', 'limit.connections=many'])).stderr).toContain('must be a whole number, not "many"')
  expect((await cluster.cli(['token', 'create', 'x', '--role', 'user', '--connections', '-1'])).code).not.toBe(0)
})

const applications = async () => (await cluster.client.sessions.list()).map(({ application }) => application)
